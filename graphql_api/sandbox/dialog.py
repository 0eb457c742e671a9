"""The log-in dialog: a page to pick a test person on, which hands a token to the caller's page.

GET /dialog/oauth?client_id=…&redirect_uri=…&response_type=token[&state=…]
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urldefrag, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .graph import seconds_left
from .people import PEOPLE
from .tokens import Condition, Login, parse
from .validity import ends_of

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 34rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
.note { opacity: .75; margin-top: .25rem; }
fieldset { border: 1px solid #8886; border-radius: .5rem; margin: 1.25rem 0; padding: .5rem 1rem 1rem; }
legend { font-weight: 600; padding: 0 .4rem; }
label { display: block; padding: .25rem 0; }
label small { display: block; margin-left: 1.6rem; opacity: .75; }
select, input[type=text] { display: block; font: inherit; width: 100%; box-sizing: border-box;
  padding: .35rem; }
button { font: inherit; font-weight: 600; padding: .5rem 1.25rem; border: 0; border-radius: .4rem;
  background: #1256c4; color: #fff; cursor: pointer; }
.cancel { margin-left: 1rem; }
.problem { border-left: .25rem solid #c22; padding-left: .75rem; }
code { overflow-wrap: anywhere; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# No user name, no control characters, spaces or backslashes: what browsers read in different ways is refused.
_REDIRECT = re.compile(
    r"(https?)://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\s\\\x00-\x1f\x7f]*)?"
)
_LONGEST_TIME = 12  # digits

_ABOUT_PEOPLE: Mapping[str, str] = {
    "ann": "manages Ann's Studio, which has an Instagram account, and Ann's Shop, which has none",
    "ben": "manages Ann's Studio, too",
    "cat": "creates content on one Page, sees the figures of another one, and did not grant a third",
    "eve": "has no Pages",
    "max": "manages 600 Pages",
}
_ABOUT_CONDITIONS: Mapping[Condition, str] = {
    Condition.DIES: "dies: the token and the data access end",
    Condition.EXPIRED: "expired: the token ended",
    Condition.REVOKED: "revoked: the user removed the app",
    Condition.PASSWORD: "password: the user changed their password",
    Condition.CHECKPOINT: "checkpoint: the user has to log in at Facebook first",
    Condition.NOSCOPE: "noscope: a permission is missing",
    Condition.NOROLE: "norole: the user lost their role on the first Page",
    Condition.UNLINKED: "unlinked: the first Page has no Instagram account",
    Condition.OTHERAPP: "otherapp: the token is another app's",
    Condition.BLOCKED: "blocked: Meta blocks the user for a while",
    Condition.SLOW: "slow: each call takes 3 seconds",
    Condition.DOWN: "down: errors, no answers, and answers that are not JSON",
    Condition.LIMIT: "limit: the app made too many calls",
}
_TIMES: Mapping[int, str] = {
    0: "now",
    60: "in a minute",
    3600: "in an hour",
    86400: "in a day",
    7 * 86400: "in 7 days",
    30 * 86400: "in 30 days",
}

_PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Log in: sandbox</title>
    <style>{style}</style>
  </head>
  <body>
{body}
  </body>
</html>
"""
_FORMS = """\
    <h1>Log in as a test person</h1>
    <p class="note">This is a stand-in for Facebook. It goes on to <code>{redirect_uri}</code>.</p>
{problem}
    <form>
{hidden}
      <fieldset>
        <legend>Person</legend>
{people}
      </fieldset>
      <fieldset>
        <legend>What goes wrong with the login</legend>
        <label>Condition
          <select name="condition">
            <option value="">nothing</option>
{conditions}
          </select>
        </label>
        <label>Begins
          <select name="in">
{times}
          </select>
        </label>
      </fieldset>
      <button>Log in</button>
      <a class="cancel" href="{cancel}">Cancel</a>
    </form>
    <form>
{hidden}
      <fieldset>
        <legend>Or a token of your own</legend>
        <label>Test token
          <input type="text" name="token" required autocomplete="off" spellcheck="false" value="{token}"
            placeholder="TEST-any:fb=1;page=2;ig=3">
        </label>
      </fieldset>
      <button>Use this token</button>
    </form>"""


@dataclass(frozen=True, slots=True)
class Caller:
    """The page that asked for a login, and what it wants back unchanged; the address has no fragment."""

    redirect_uri: str
    state: str | None

    def granted(self, login: Login, now: float) -> str:
        """Return the address that hands over a token as Meta does: after the #, where no server sees it."""
        ends = ends_of(login, now)
        answer = {
            "access_token": str(login),
            "data_access_expiration_time": str(ends.data_access_expires_at),
            "expires_in": str(seconds_left(login, now)),
        }
        return f"{self.redirect_uri}#{urlencode(self._with_state(answer))}"

    def cancelled(self) -> str:
        """Return the address that says that the user did not want to."""
        answer = {
            "error": "access_denied",
            "error_code": "200",
            "error_description": "Permissions error",
            "error_reason": "user_denied",
        }
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(self._with_state(answer))}"

    def _with_state(self, answer: dict[str, str]) -> dict[str, str]:
        return answer if self.state is None else {**answer, "state": self.state}


class Dialog:
    """The log-in dialog of one app. `clock` gives Unix seconds."""

    def __init__(self, *, app_id: str, clock: Callable[[], float]) -> None:
        self._app_id = app_id
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """Show the dialog, or go back to the caller's page once a person or a token is chosen."""
        query = request.query_params
        problem = self._why_not(query)
        if problem is not None:
            return _page(
                f'    <h1>This does not work</h1>\n    <p class="problem">{escape(problem)}</p>', 400
            )
        caller = Caller(urldefrag(query["redirect_uri"]).url, query.get("state"))
        text = query.get("token") or self._chosen(query)
        if not text:
            return _page(_forms(caller, self._app_id, query), 200, caller)
        login = parse(text)
        if not isinstance(login, Login):
            return _page(
                _forms(caller, self._app_id, query, f"This is not a user's test token: {text}"), 400, caller
            )
        # The address holds nothing to be read again.
        return RedirectResponse(
            caller.granted(login, self._clock()),
            303,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )

    def _why_not(self, query: Mapping[str, str]) -> str | None:
        if query.get("client_id") != self._app_id:
            return f"client_id is not the id of the sandbox's app, which is {self._app_id}."
        if not _REDIRECT.fullmatch(query.get("redirect_uri", "")):
            return "redirect_uri is not an address that begins with http:// or https://."
        if query.get("response_type") != "token":
            return "The sandbox takes response_type=token only."
        return None

    def _chosen(self, query: Mapping[str, str]) -> str:
        """Return the token that the choices make; empty if no person is chosen."""
        if not query.get("person"):
            return ""
        condition, time = query.get("condition", ""), ""
        seconds = query.get("in", "0")
        if condition and (seconds != "0" or condition == Condition.DIES):
            wait = (
                int(seconds)
                if seconds.isascii() and seconds.isdigit() and len(seconds) < _LONGEST_TIME
                else 0
            )
            time = f"@{int(self._clock()) + wait}"
        return f"TEST-{query['person']}{condition and '-'}{condition}{time}"


def _forms(caller: Caller, app_id: str, query: Mapping[str, str], problem: str = "") -> str:
    hidden = {"client_id": app_id, "redirect_uri": caller.redirect_uri, "response_type": "token"}
    if caller.state is not None:
        hidden["state"] = caller.state
    return _FORMS.format(
        redirect_uri=escape(caller.redirect_uri),
        problem=problem and f'    <p class="problem">{escape(problem)}</p>',
        hidden=_lines(
            f'      <input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in hidden.items()
        ),
        people=_lines(
            f'        <label><input type="radio" name="person" value="{key}"{" checked" * (key == "ann")}>'
            f" {escape(str(PEOPLE[key].name))} <small>{escape(about)}</small></label>"
            for key, about in _ABOUT_PEOPLE.items()
        ),
        conditions=_options(_ABOUT_CONDITIONS),
        times=_options(_TIMES),
        cancel=escape(caller.cancelled()),
        token=escape(query.get("token", "")),
    )


def _options(choices: Mapping[Condition, str] | Mapping[int, str]) -> str:
    return _lines(
        f'            <option value="{value}">{escape(text)}</option>' for value, text in choices.items()
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _page(body: str, status: int, caller: Caller | None = None) -> Response:
    # A browser applies form-action also to where the answer to a form leads.
    form = f"'self' {caller.redirect_uri.partition(':')[0]}:" if caller else "'none'"
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        f"form-action {form}",
        "frame-ancestors 'none'",
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(_PAGE.format(style=_STYLE, body=body), status, headers)
