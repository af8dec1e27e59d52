"""Episodes in worker processes, so that every core plays; what breaks in one costs that one, never the run.

The pool holds episodes by slot. ``advance`` takes one command for each of some slots and returns when all are
answered. A worker gets one command at a time: so the culprit is known when a process dies, and no pipe ever fills up. A
worker that dies is replaced, and its other episodes are played again up to where they were, which is possible because
an episode is determined by its task, its seed and its actions.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
import traceback
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import cast

from spanwise.environments.protocol import Environment, ListsCommands, Outcome, TaskSet
from spanwise.errors import SpanwiseError

#: Workers share the cores among themselves, so the libraries in them shall not start threads.
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Start:
    """Begins an episode in a slot (closing what was there) and plays ``actions`` in it at once."""

    task_id: str
    seed: int
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """Hands an action to the episode in a slot."""

    action: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command.

    Attributes:
        outcome: The environment's answer (to ``Start``: the first observation, nothing won yet); None after an error.
        error: What went wrong, in a line; the episode is over.
        seconds: What the environment took.
        admissible: The commands that it would carry out next, if the pool was to list them.
    """

    outcome: Outcome | None
    error: str | None
    seconds: float
    admissible: tuple[str, ...] | None = None


@dataclass(slots=True)
class _Episode:
    """What is needed to play an episode again."""

    start: Start
    worker: int
    actions: list[str] = field(default_factory=list)
    lost: str | None = None  # why it could not be brought back after its worker died


@dataclass(frozen=True, slots=True)
class _Order:
    """A command on its way to a worker; ``wanted`` is False for a replay that nobody waits for."""

    slot: int
    command: Start | Act
    wanted: bool = True


class EnvironmentPool:
    """Many episodes of one task set, spread over worker processes. A context manager: leaving it ends the workers."""

    def __init__(self, task_set: TaskSet, workers: int, timeout: float = 300.0, lists_commands: bool = False):
        """Starts the workers.

        Args:
            task_set: Where episodes come from; pickled into each worker.
            workers: How many processes; 0 plays in this one, with the same results (but a crash of the interpreter
                itself is then the caller's, and nothing times out).
            timeout: Seconds after which a command that is not answered counts as crashed.
            lists_commands: Have each answer name what can be done next; the environments must know.

        Raises:
            RuntimeError: A worker did not start.
        """
        self._timeout = timeout
        self._episodes: dict[int, _Episode] = {}
        self._home_of_task: dict[str, int] = {}
        self._host = _Host(task_set, lists_commands) if workers == 0 else None
        self._pickled = pickle.dumps((task_set, lists_commands)) if workers else b""
        self._workers: list[_Worker] = []
        try:
            self._workers.extend(_Worker(self._pickled) for _ in range(workers))
            for worker in self._workers:
                worker.wait_until_ready()
        except BaseException:
            self.close()
            raise

    def advance(self, commands: Mapping[int, Start | Act]) -> dict[int, Answer]:
        """Carries out one command in each of the given slots, in parallel.

        Raises:
            SpanwiseError: The environment says that the user's data or settings are wrong.
        """
        if self._host is not None:
            return {slot: self._host.carry_out(slot, command) for slot, command in commands.items()}
        queues: list[deque[_Order]] = [deque() for _ in self._workers]
        for slot, command in commands.items():
            if isinstance(command, Start):
                self._episodes.pop(slot, None)
                self._episodes[slot] = _Episode(command, self._choose_worker(command.task_id))
            queues[self._episodes[slot].worker].append(_Order(slot, command))
        return self._work_off(queues)

    def close(self) -> None:
        """Ends the workers, whatever they are doing."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()
        if self._host is not None:
            self._host.close()

    def __enter__(self) -> EnvironmentPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _choose_worker(self, task_id: str) -> int:
        """The least busy worker; or the one that had the task before (it may have it loaded), if hardly busier."""
        load = Counter(dict.fromkeys(range(len(self._workers)), 0))
        load.update(episode.worker for episode in self._episodes.values())
        least_busy = min(load, key=lambda index: load[index])
        home = self._home_of_task.get(task_id, least_busy)
        chosen = home if load[home] <= load[least_busy] + 1 else least_busy
        self._home_of_task[task_id] = chosen
        return chosen

    def _work_off(self, queues: list[deque[_Order]]) -> dict[int, Answer]:
        """Feeds every worker from its queue until all orders are answered."""
        answers: dict[int, Answer] = {}
        running: dict[int, _Order] = {}
        while True:
            for index, queue in enumerate(queues):
                if index not in running and (order := self._next_order(queue, answers)) is not None:
                    self._workers[index].send(order)
                    running[index] = order
            if not running:
                return answers
            ready = wait([self._workers[index].connection for index in running], timeout=self._time_left(running))
            for index in list(running):
                worker = self._workers[index]
                if worker.connection in ready:
                    answer = worker.receive()
                elif worker.seconds_since_send() > self._timeout:
                    answer = None
                    worker.kill()
                else:
                    continue
                order = running.pop(index)
                if answer is None:
                    answer = self._replace_worker(index, order, queues[index])
                self._record(order, answer)
                if order.wanted:
                    answers[order.slot] = answer

    def _next_order(self, queue: deque[_Order], answers: dict[int, Answer]) -> _Order | None:
        """The next order that can be carried out; those for episodes that were lost are answered here."""
        while queue:
            order = queue.popleft()
            lost = self._episodes[order.slot].lost
            if lost is None:
                return order
            answers[order.slot] = Answer(None, lost, 0.0)
            del self._episodes[order.slot]
        return None

    def _time_left(self, running: Mapping[int, _Order]) -> float:
        return max(0.0, self._timeout - max(self._workers[index].seconds_since_send() for index in running)) + 0.01

    def _record(self, order: _Order, answer: Answer) -> None:
        """Keeps what a replay would need; forgets episodes that are over."""
        episode = self._episodes[order.slot]
        if answer.error is not None and not order.wanted:
            episode.lost = answer.error
        elif answer.outcome is None or answer.outcome.done:
            del self._episodes[order.slot]
        elif isinstance(order.command, Act):
            episode.actions.append(order.command.action)

    def _replace_worker(self, index: int, culprit: _Order, queue: deque[_Order]) -> Answer:
        """Starts a new process in the place of a dead one, and orders its innocent episodes to be played again."""
        dead = self._workers[index]
        seconds = dead.seconds_since_send()
        exit_code = dead.close()
        self._workers[index] = _Worker(self._pickled)
        self._workers[index].wait_until_ready()
        to_start = {order.slot for order in queue if isinstance(order.command, Start)}
        for slot, episode in self._episodes.items():
            if episode.worker == index and slot not in {*to_start, culprit.slot} and episode.lost is None:
                again = Start(episode.start.task_id, episode.start.seed, tuple(episode.actions))
                queue.appendleft(_Order(slot, again, wanted=False))
        what = culprit.command.action if isinstance(culprit.command, Act) else "the start"
        return Answer(None, f"the process that played it died at {what!r} (exit code {exit_code})", seconds)


class _Host:
    """Plays the episodes of one process."""

    def __init__(self, task_set: TaskSet, lists_commands: bool):
        self._task_set = task_set
        self._lists_commands = lists_commands
        self._environments: dict[int, Environment] = {}

    def carry_out(self, slot: int, command: Start | Act) -> Answer:
        """Answers a command; any exception but a SpanwiseError ends its episode, and nothing else."""
        began = time.perf_counter()
        try:
            outcome = self._start(slot, command) if isinstance(command, Start) else self._act(slot, command.action)
            admissible = self._admissible(slot) if self._lists_commands and not outcome.done else None
        except SpanwiseError:
            raise
        except Exception as error:
            # A broken environment is not asked to close: it may break again.
            self._environments.pop(slot, None)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            message = f"{type(error).__name__}: {error} (line {frame.lineno} of {os.path.basename(frame.filename)})"  # noqa: PTH119
            return Answer(None, message, time.perf_counter() - began)
        return Answer(outcome, None, time.perf_counter() - began, admissible)

    def close(self) -> None:
        """Closes what is still open."""
        while self._environments:
            self._environments.popitem()[1].close()

    def _start(self, slot: int, start: Start) -> Outcome:
        if slot in self._environments:
            self._environments.pop(slot).close()
        environment = self._environments[slot] = self._task_set.make(start.task_id, start.seed)
        outcome = Outcome(environment.reset(), reward=0.0, done=False, success=False)
        for action in start.actions:
            outcome = self._act(slot, action)
        return outcome

    def _admissible(self, slot: int) -> tuple[str, ...]:
        return tuple(cast(ListsCommands, self._environments[slot]).admissible_commands())

    def _act(self, slot: int, action: str) -> Outcome:
        outcome = self._environments[slot].step(action)
        if outcome.done:
            self._environments.pop(slot).close()
        return outcome


class _Worker:
    """A process that hosts episodes, seen from outside."""

    def __init__(self, pickled_task_set: bytes):
        # Spawned, not forked: the caller may have threads (torch has), and a fork would copy their locks.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, pickled_task_set), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the stream
        self._sent = time.monotonic()

    def wait_until_ready(self) -> None:
        """Returns when the process can take orders.

        Raises:
            RuntimeError: It ended before it could.
        """
        if self._receive() is None:
            raise RuntimeError(f"a worker process did not start (exit code {self.close()}); it said why above")

    def send(self, order: _Order) -> None:
        """Gives the process its next order; if it is dead, ``receive`` will say so."""
        self._sent = time.monotonic()
        try:
            self.connection.send((order.slot, order.command))
        except OSError:
            return

    def receive(self) -> Answer | None:
        """The answer to the last order; None if the process died over it.

        Raises:
            SpanwiseError: The environment raised it.
        """
        message = self._receive()
        if isinstance(message, SpanwiseError):
            raise message
        return message

    def seconds_since_send(self) -> float:
        return time.monotonic() - self._sent

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    def close(self) -> int | None:
        """Ends the process, kindly at first; returns its exit code."""
        self.connection.close()
        self._process.join(timeout=1.0)
        if self._process.is_alive():
            self.kill()
            self._process.join()
        return self._process.exitcode

    def _receive(self):
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return None


def _serve(connection: Connection, pickled_task_set: bytes) -> None:
    """A worker's life: answer commands until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then hangs up
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    host = _Host(*pickle.loads(pickled_task_set))
    try:
        connection.send("ready")
        while True:
            slot, command = connection.recv()
            try:
                reply = host.carry_out(slot, command)
            except SpanwiseError as error:
                reply = error
            connection.send(reply)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        host.close()
