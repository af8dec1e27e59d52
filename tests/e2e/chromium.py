"""A headless Chromium for tests, driven by real keys and pointer, without another package."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


class Browser:
    """A headless Chromium with one tab, spoken to over a pipe in its DevTools protocol."""

    def __init__(self, profile, width=1300, height=900):
        to_browser, write = os.pipe()
        read, from_browser = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (to_browser, from_browser)]
        os.close(to_browser)
        os.close(from_browser)
        # The browser listens on descriptor 3 and speaks on 4.
        become = f"import os, sys; os.dup2({ends[0]}, 3); os.dup2({ends[1]}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
        options += [f"--window-size={width},{height}", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", become, CHROMIUM, *options],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        self._write, self._read = os.fdopen(write, "wb", buffering=0), read
        self._buffer, self._count, self._session = b"", 0, None
        self.events = []
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """The result of a method of the protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], 60)
            assert ready, "the browser has not answered for a minute"
            received = os.read(self._read, 1 << 20)
            assert received, "the browser has ended"
            self._buffer += received
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        """Opens an address and waits until the page has run its script."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression):
        """Waits until an expression is true."""
        deadline = time.monotonic() + 60
        while not self._is_true(expression):
            assert time.monotonic() < deadline, f"not within a minute: {expression}"
            time.sleep(0.02)

    def _is_true(self, expression):
        try:
            return self.run(f"!!({expression})")
        except AssertionError as error:
            if "context" not in str(error):  # a page that goes away while it is asked is not yet the next one
                raise
            return False

    def press(self, *keys):
        """Presses keys, one after the other: characters, or names such as ``Escape``."""
        for key in keys:
            text = key if len(key) == 1 else ""
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def point(self, selector):
        """Moves the pointer onto the first line of an element."""
        x, y = self.run(f"(({{x, y}}) => [x + 2, y + 5])(document.querySelector({selector!r}).getClientRects()[0])")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def text(self, selector):
        """The visible text of an element."""
        return self.run(f"document.querySelector({selector!r}).innerText")

    def set(self, name, value):
        """Sets a field as a user would."""
        self.run(
            f"(field => {{ field.value = {value!r}; field.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
            f"(document.getElementById({name!r}))"
        )

    def problems(self):
        """What went wrong since the page was opened: dialogs, exceptions, complaints, requests beyond files."""
        bad = ("Page.javascriptDialogOpening", "Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        found = [event for event in self.events if event.get("method") in bad]
        requests = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return found + [one["request"]["url"] for one in requests if one["type"] != "Document"]

    def close(self):
        with contextlib.suppress(AssertionError, BrokenPipeError):
            self._session = None
            self.call("Browser.close")
        self._process.wait(30)
        self._write.close()
        os.close(self._read)
