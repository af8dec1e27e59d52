"""Today's Wikipedia as an encyclopedia, over the MediaWiki API; its answers are kept, so that a run can be repeated.

Politely: one request at a time and not too soon after the last, under a name, with patience where the server asks for
it, and never the same request twice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from spanwise.errors import TaskDataError

_TIMEOUT = 30.0  # seconds
_ATTEMPTS = 6
#: Letters of a name that the API takes.
_LETTERS = 255
_HEADING = re.compile(r"=+ .* =+")
_LATER = (429, 500, 502, 503, 504)


@dataclass
class LiveWikipedia:
    """See :class:`spanwise.environments.hotpotqa.encyclopedia.Encyclopedia`.

    Attributes:
        address: Of the API, such as ``https://en.wikipedia.org/w/api.php``.
        cache: Folder of answers, a file of JSON for each request.
        pause: Seconds from one request to the next; twice as many before each further attempt at one.
    """

    address: str
    cache: Path
    pause: float = 0.5
    _last: float = field(default=float("-inf"), init=False)

    def article(self, name: str) -> str | None:
        """Text of the page that Wikipedia's own "go" leads to, redirects followed; None if it leads to none."""
        name = name.strip()[:_LETTERS]
        if not name:
            return None
        found = self._ask(list="search", srwhat="nearmatch", srsearch=name, srlimit="1")["search"]
        if not found:
            return None
        pages = self._ask(prop="extracts", explaintext="1", redirects="1", titles=found[0]["title"])["pages"]
        return _prose(pages[0].get("extract", ""))

    def similar(self, name: str, count: int) -> list[str]:
        """Titles of the best results of Wikipedia's search."""
        name = name.strip("[] ")[:_LETTERS]
        if not name:
            return []
        return [page["title"] for page in self._ask(list="search", srsearch=name, srlimit=str(count))["search"]]

    def _ask(self, **parameters: str) -> dict[str, Any]:
        """What the API answers to a query, from the cache if it is there.

        Raises:
            TaskDataError: It cannot be reached, refuses, or is no MediaWiki API.
        """
        parameters = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **parameters}
        url = f"{self.address}?{urllib.parse.urlencode(sorted(parameters.items()), errors='replace')}"
        kept = self.cache / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"
        try:
            if kept.exists():
                return json.loads(kept.read_text(encoding="utf-8"))["answer"]
            answer = self._fetch(url)
            self.cache.mkdir(parents=True, exist_ok=True)
            partial = kept.with_name(f".{kept.name}.{uuid4().hex}.partial")
            partial.write_text(json.dumps({"url": url, "answer": answer}), encoding="utf-8")
            partial.replace(kept)
        except (ValueError, KeyError) as error:
            raise TaskDataError(f"{kept}: is damaged ({error!r}); remove it, and it is asked for again") from error
        except OSError as error:
            raise TaskDataError(f"{kept}: cannot be kept: {error.strerror or error}") from error
        return answer

    def _fetch(self, url: str) -> dict[str, Any]:
        reason = ""
        for attempt in range(_ATTEMPTS):
            self._wait(self.pause * 2**attempt if attempt else self.pause)
            request = urllib.request.Request(url, headers={"User-Agent": f"spanwise/{version('spanwise')} (urllib)"})
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
                    answer = json.load(response)
            except urllib.error.HTTPError as error:
                reason = f"answers {error.code} {error.reason}"
                if error.code not in _LATER:
                    break
                self._wait(_seconds(error.headers.get("Retry-After")))
                continue
            except (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException) as error:
                reason = f"cannot be reached ({error})"
                continue
            except ValueError as error:
                reason = f"does not answer in JSON ({error})"
                break
            found = answer.get("query") if isinstance(answer, dict) else None
            if isinstance(found, dict) and ("search" in found or "pages" in found):
                return found
            problem = answer.get("error") if isinstance(answer, dict) else None
            reason = f"answers {str(problem or answer)[:200]}"
            if not (isinstance(problem, dict) and problem.get("code") == "maxlag"):
                break
        raise TaskDataError(
            f"{url}: the server {reason}; what it answered before is kept in {self.cache}: run the same command again "
            "to go on"
        )

    def _wait(self, seconds: float) -> None:
        """Waits until that long after the last request."""
        left = self._last + seconds - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._last = time.monotonic()


def _prose(extract: str) -> str:
    """The paragraphs of more than two words, as the original keeps them, without headings."""
    lines = (line.strip() for line in extract.split("\n"))
    return "\n".join(line for line in lines if len(line.split(" ")) > 2 and not _HEADING.fullmatch(line))


def _seconds(retry_after: str | None) -> float:
    """What a server asks to wait, at most a minute; dates are not read."""
    return min(float(retry_after), 60.0) if retry_after and retry_after.isascii() and retry_after.isdecimal() else 0.0
