"""The shop as pages in a browser: play a goal by hand, and see what a purchase is worth.

A visit has an address that nobody can guess, so visits do not mix; only what the page shows can be done. Pages hold no
script and fetch nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spanwise.environments.webshop.goals import Goal, goal_at
from spanwise.environments.webshop.observations import Part, visible
from spanwise.environments.webshop.shop import DonePage, ItemPage, Page, SearchPage, Shop, Visit
from spanwise.errors import TaskDataError
from spanwise.traces.view import printable

#: Visits that are remembered; the oldest is forgotten first.
MOST_VISITS = 1000
#: Bytes that a browser may send in a form.
_MOST_SENT = 1 << 20
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(slots=True)
class _Shopper:
    """A visit in progress, and what was done in it."""

    number: int
    visit: Visit
    done: list[str] = field(default_factory=list)
    refused: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ShopServer(ThreadingHTTPServer):
    """Serves one shop to any number of visits; ``serve_forever`` until ``shutdown``."""

    daemon_threads = True

    def __init__(self, shop: Shop, host: str = "127.0.0.1", port: int = 8080):
        """Takes the port; 0: any that is free.

        Raises:
            TaskDataError: The port cannot be taken.
        """
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise TaskDataError(f"{host}:{port} cannot be served from: {error}") from error
        self.shop = shop
        self._shoppers: OrderedDict[str, _Shopper] = OrderedDict()
        self._guard = threading.Lock()
        self._pages = Environment(
            loader=PackageLoader("spanwise.environments.webshop"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=lambda value: printable(value) if type(value) is str else value,
        )

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}/"

    def begin(self, number: int) -> str:
        """A new visit for a goal; returns its name.

        Raises:
            TaskDataError: There is no such goal.
        """
        goal = goal_at(self.shop.goals, number)
        self.shop.catalogue.product(goal.asin, f"goal {number}")
        name = secrets.token_urlsafe(16)
        with self._guard:
            self._shoppers[name] = _Shopper(number, Visit(self.shop, goal))
            while len(self._shoppers) > MOST_VISITS:
                self._shoppers.popitem(last=False)
        return name

    def shopper(self, name: str) -> _Shopper | None:
        """The visit of a name; None if it is not known, or was forgotten."""
        with self._guard:
            if name in self._shoppers:
                self._shoppers.move_to_end(name)
            return self._shoppers.get(name)

    def front(self, complaint: str | None = None) -> str:
        """The page on which a goal is chosen."""
        return self._render("front.html", goals=len(self.shop.goals), complaint=complaint)

    def page(self, name: str, shopper: _Shopper) -> str:
        """What is before a visitor."""
        page, goal = shopper.visit.page, shopper.visit.goal
        return self._render(
            "shop.html",
            name=name,
            number=shopper.number,
            goal=goal,
            page=page,
            kind=type(page).__name__,
            pieces=_pieces(page, goal),
            chosen=dict(page.options) if isinstance(page, ItemPage | DonePage) else {},
            wanted=self.shop.catalogue.product(goal.asin, f"goal {shopper.number}"),
            done=shopper.done,
            refused=shopper.refused,
            Part=Part,
        )

    def _render(self, template: str, **values: Any) -> str:
        style, _, _ = self._pages.loader.get_source(self._pages, "shop.css")  # pyright: ignore[reportOptionalMemberAccess]
        return self._pages.get_template(template).render(style=Markup(style), **values)


def _pieces(page: Page, goal: Goal) -> list[tuple[Part, str]]:
    """What a page shows below the goal."""
    if isinstance(page, SearchPage | DonePage):
        return []
    return visible(page, goal.text)[2:]


class _Handler(BaseHTTPRequestHandler):
    """Requests: ``/``, ``/begin?goal=N``, ``/visit/NAME`` to look, and a form sent there to act."""

    server: ShopServer
    timeout = 30

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/":
            self._answer(self.server.front())
        elif path == "/begin":
            number = parse_qs(query).get("goal", [""])[0].strip()
            try:
                if not (number.isascii() and number.isdecimal() and len(number) < 12):
                    raise TaskDataError(f"expected the number of a goal, found {number[:40]!r}")
                self._go(f"/visit/{self.server.begin(int(number))}")
            except TaskDataError as error:
                self._answer(self.server.front(str(error)), HTTPStatus.NOT_FOUND)
        else:
            found = self._found(path)
            if found is not None:
                name, shopper = found
                with shopper.lock:
                    self._answer(self.server.page(name, shopper))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_SENT:
            self._answer(self.server.front("the form is too long"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        sent = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"), keep_blank_values=True)
        found = self._found(self.path.partition("?")[0])
        if found is None:
            return
        name, shopper = found
        search, click = sent.get("search"), sent.get("click")
        action = f"search[{search[0]}]" if search else f"click[{click[0]}]" if click else ""
        with shopper.lock:
            acted = shopper.visit.act(action)
            shopper.done += [action] if acted else []
            shopper.refused = None if acted else action
        self._go(f"/visit/{name}")

    def _found(self, path: str) -> tuple[str, _Shopper] | None:
        name = path.removeprefix("/visit/")
        shopper = self.server.shopper(name) if name != path else None
        if shopper is None:
            self._answer(self.server.front("this page is not known, or was forgotten"), HTTPStatus.NOT_FOUND)
            return None
        return name, shopper

    def _go(self, place: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, page: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = page.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not news."""
