"""The Graph client: our client of Meta's Graph API.

client     the calls
answers    what Meta says, as values of the domain
problems   what Meta refuses, and what follows from it
usage      when to leave Meta alone: its rate limits, and when it is down
alarms     what an operator must see
"""
