"""Compiles a parsed, validated GraphQL operation into plain Python, once.

Knows graphql-core and Strawberry, and may be lifted out as a package. graphql-core is its oracle: for any
data, variables and failing resolvers, the answer is the one that `graphql.execute` gives.

    operation   compile_operation, CompiledOperation: the way in
    coverage    what is compiled, and what is left to graphql-core
    selections  selection sets as code
    resolvers   how each field's value is got
    inputs      input coercion as code
    completion  from resolved values to the response
    execution   the state of one run, and the rare cases
    info        the Info that resolvers get
    plain       which values need no second look
    source      Python source under construction
"""

from graphql_api.execution.compiled.operation import CompiledOperation, compile_operation

__all__ = ["CompiledOperation", "compile_operation"]
