"""What becomes of a write, told to a collector of traces where there is one."""

import time

from starlette.requests import Request
from starlette.types import Scope

from api.parts import Serving, serving_of

_MARKS = "vaxledger.marks"


def mark_committed(request: Request, position: int) -> None:
    """The write stands in the log; from here on its trace has a name."""
    traces = serving_of(request).traces
    if traces is not None and traces.chooses(position):
        request.scope[_MARKS] = {"position": position, "committed": time.time_ns()}


def mark_covered(request: Request) -> None:
    """A checkpoint covers it, or is too late for this answer."""
    if _MARKS in request.scope:
        request.scope[_MARKS]["covered"] = time.time_ns()


def tell(scope: Scope, name: str, seconds: float, status: int) -> None:
    """Record the spans of a request that is answered: itself, the commit, the checkpoint."""
    marks: dict[str, int] | None = scope.get(_MARKS)
    if marks is None:
        return
    serving: Serving = scope["app"].state.serving
    traces = serving.traces
    assert traces is not None, "it chose the position"
    position, ended = marks["position"], time.time_ns()
    began = ended - int(seconds * 1e9)
    caller = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
    traces.first(position, name, (began, ended), status, caller)
    traces.step(position, "commit", (began, marks["committed"]))
    if "covered" in marks:
        traces.step(position, "checkpoint", (marks["committed"], marks["covered"]))
