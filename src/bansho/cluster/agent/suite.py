"""One suite as the agent sees it: its commands, its monitoring, its shared directory."""

import math
import sys
from typing import NamedTuple

from bansho.cluster import timing
from bansho.cluster.agent import command, shared
from bansho.cluster.agent.deadline import Deadline
from bansho.cluster.agent.decide import Context, Outcome, decide, describe
from bansho.cluster.agent.notes import Notes
from bansho.cluster.agent.parameters import Parameters
from bansho.contract import imdatabase, operation, suites, verdicts
from bansho.contract.verdicts import Table, Verdict
from bansho.logicalhost.places import NodePlaces


class Look(NamedTuple):
    """What monitoring found: the outcome, the verdict behind it, and both in words."""

    outcome: Outcome
    verdict: Verdict
    words: str


class Question(NamedTuple):
    """One monitoring command, how it is called, and the table of its values."""

    rows: Table
    command: str
    arguments: tuple[str, ...]


class Suite:
    """Runs the commands of one suite within a deadline."""

    def __init__(self, parameters: Parameters, own_commands: str, deadline: Deadline) -> None:
        """`own_commands` is the folder of the commands that the agent was installed with."""
        self.parameters = parameters
        self.deadline = deadline
        self.names = suites.COMMANDS[parameters.suite]
        self.is_ours = not parameters.commands
        """Ours keep the whole contract; of others' commands only what is given is believed (CONTRACT 3)."""
        self.folders = parameters.commands or own_commands
        self.notes = Notes(NodePlaces.of(parameters.host).suite(parameters.suite))
        self._variables = command.environment(parameters.host)

    def online(self) -> bool:
        """Whether the shared directory is available on this node."""
        return shared.online(self.parameters.directory, self.parameters.mount_point)

    def find_commands(self) -> None:
        """Checks that every command is on this node. Raises CommandMissing."""
        wanted = [self.names.start, self.names.stop, self.names.status, self.names.killall]
        for name in [*wanted, suites.DATABASE_STATUS] if self.parameters.database else wanted:
            command.find(name, self.folders)

    def start(self) -> command.Answer:
        """Runs the start command; its end says nothing of whether it worked."""
        limit = timing.share(self.deadline.left(), self.parameters.patience.look)
        return self._run(self.names.start, self.parameters.host, limit=limit, leaves_daemons=True)

    def stop(self) -> command.Answer:
        """Runs the stop command; its end says nothing of whether it worked."""
        later = timing.FORCED_TERMINATION + self.parameters.patience.monitoring
        limit = timing.share(self.deadline.left(), later)
        return self._run(self.names.stop, self.parameters.host, limit=limit, leaves_daemons=True)

    def terminate(self) -> command.Answer:
        """Runs forced termination."""
        return self._run(self.names.killall, self.parameters.host, limit=timing.FORCED_TERMINATION)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What monitoring asks, in order; the IM database only where there is one, and after all else is well."""
        answer_within = str(math.ceil(self.parameters.status_timeout))
        asked = Question(operation.TABLE, self.names.status, ("-h", self.parameters.host, "-t", answer_within))
        database = Question(imdatabase.TABLE, suites.DATABASE_STATUS, ("-h", self.parameters.host))
        return (asked, database) if self.parameters.database else (asked,)

    def look(self) -> Look:
        """Asks each question once, up to the first whose answer is not that all is well."""
        for question in self.questions:
            found = self.ask(question, Context())
            if found.outcome is not Outcome.SUCCESS:
                break
        return found

    def ask(self, question: Question, context: Context) -> Look:
        """Asks one question once."""
        ended, said = self._run(question.command, *question.arguments, limit=self.parameters.patience.answer)
        words = describe(question.command, question.rows, ended, said)
        self.deadline.last = words
        return Look(decide(question.rows, ended, context), verdicts.judge(question.rows, ended), words)

    def send_through(self, limit: float) -> command.Answer:
        """Sends an event through the suite: the deep check."""
        facts, limit = self.parameters, min(limit, self.deadline.left())
        self.deadline.enter("deep check")
        arguments = [sys.executable, "-I", "-m", "bansho.cluster.agent.through", facts.suite, facts.host]
        return command.run(arguments, limit, self._variables)

    def _run(self, name: str, *arguments: str, limit: float, leaves_daemons: bool = False) -> command.Answer:
        path = command.find(name, self.folders)
        limit = min(limit, self.deadline.left())
        self.deadline.enter(name)
        answer = command.run([path, *arguments], limit, self._variables, leaves_daemons=leaves_daemons)
        self.deadline.left()
        return answer
