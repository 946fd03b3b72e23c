"""The top workflow of a case: its ready queue, what it waits for, and how tokens move."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from engine.definitions import Definition
from engine.errors import ProcessStuck
from engine.events import MilestoneReached, ProcessEnded, ScopeEntered, ScopeLeft, VariablesSet
from engine.expressions import Setting, compile_template
from engine.ids import CaseId, ScopeId
from engine.records import Json
from engine.spiff.library import TaskState
from engine.spiff.run import Run
from engine.spiff.scopes import Scope, Scopes
from engine.spiff.seam import LiveTask
from engine.spiff.trees import SubTree, TopTree, Tree

if TYPE_CHECKING:
    from engine.spiff.nodes import ContainerSpec, Link
    from engine.spiff.timers import Fired, Timer


class Machine(TopTree):
    """One live case. All that lasts is here and in the trees; `run` is there during a verb only."""

    def __init__(self, case: CaseId, definition: Definition, spec: ContainerSpec) -> None:
        self.case = case
        self.definition = definition
        self.machine = self
        self.ready: deque[LiveTask] = deque()
        self.scopes = Scopes()
        self.waits: dict[str, LiveTask] = {}
        self.timers: dict[str, Timer] = {}
        self.fired: dict[int, Fired] = {}
        self.catching: dict[tuple[str, str | None], dict[int, LiveTask]] = {}
        self.joining: dict[int, LiveTask] = {}
        self.subprocesses: dict[int, SubTree] = {}
        self.last_task_id = 0
        self.last_public_id = 0
        self.ended = False
        self._run: Run | None = None
        super().__init__(spec)
        self.subprocesses = {}

    @property
    def run(self) -> Run:
        """The verb that is being carried out."""
        assert self._run is not None  # noqa: S101 -- only verbs move tokens
        return self._run

    def next_task_id(self) -> int:
        """Give the next token its number; these numbers never leave the engine."""
        self.last_task_id += 1
        return self.last_task_id

    def public_id(self, letter: str) -> str:
        """Give the next task, timer, job or scope its number."""
        self.last_public_id += 1
        return f"{letter}{self.last_public_id}"

    def full_id(self, short: str) -> str:
        """Give the id that people and other parts see."""
        return f"{self.case}.{short}"

    # Variables

    def setting(self, scope: str, extra: Mapping[str, Json] | None = None) -> Setting:
        """Give what an expression in a scope is evaluated in."""
        names = self.scopes.names(scope)
        if extra:
            names = names.within(extra)
        return Setting(names, self.run.host, self.run.now)

    def write(self, scope: str, values: Mapping[str, Json]) -> None:
        """Set variables in the nearest scope that has some of its own."""
        if values:
            owner = self.scopes.set(scope, dict(values))
            self.run.written.update(values)
            self.run.emit(VariablesSet(scope=ScopeId(owner.id), values=dict(values)))

    def enter_scope(
        self,
        parent: str,
        element: str,
        process: str | None,
        variables: dict[str, Json] | None,
        *,
        sealed: bool = False,
    ) -> str:
        """Open a scope."""
        scope = Scope(self.public_id("s"), parent, element, process, variables, sealed)
        self.scopes.add(scope)
        self.run.emit(
            ScopeEntered(
                scope=ScopeId(scope.id),
                parent=ScopeId(parent),
                element=element,
                process=process,
                variables=None if variables is None else dict(variables),
                at=self.run.at,
            )
        )
        return scope.id

    def leave_scope(
        self, scope: str, *, interrupted: bool, results: Mapping[str, Json] | None = None
    ) -> None:
        """Close a scope; its results go to the enclosing one."""
        left = self.scopes.remove(scope)
        if results:
            self.scopes.set(left.parent or "", dict(results))
            self.run.written.update(results)
        self.run.emit(
            ScopeLeft(
                scope=ScopeId(scope),
                element=left.element,
                process=left.process,
                interrupted=interrupted,
                results=dict(results or {}),
                at=self.run.at,
            )
        )

    # Tokens

    def advance(self) -> None:
        """Move tokens until every one of them waits.

        Raises
        ------
        ProcessStuck : a gateway has no way on, joins wait for each other, or it never ends.
        """
        while True:
            while self.ready:
                task = self.ready.popleft()
                if task._state == TaskState.READY and task.id in task.workflow.tasks:
                    self.run.step(task.task_spec.element.id)
                    task.run()
            if not self._release_joins():
                return

    def passes(self, task: LiveTask) -> None:
        """Note that a token goes through its node."""
        node = task.task_spec
        if node.silent:
            return
        element, scope = node.element, task.scope
        self.run.passes(element.id, scope)
        if node.is_milestone and element.properties:
            setting = self.setting(scope)
            properties = {
                name: compile_template(text).text_in(setting)
                for name, text in element.properties.items()
            }
            self.run.emit(
                MilestoneReached(
                    element=element.id,
                    title=element.title,
                    scope=ScopeId(scope),
                    properties=properties,
                    at=self.run.at,
                )
            )

    def leave(self, task: LiveTask, links: Iterable[Link]) -> None:
        """Take a completed token off its node and put tokens at the ends of the flows taken."""
        workflow = task.workflow
        if task.id not in workflow.tasks:
            return  # what it threw has interrupted its own scope
        born = []
        for link in links:
            child = workflow.token(link.target)
            if link.target.joins:
                child.internal_data["via"] = link.id
            born.append(child)
        self.dismiss_listeners(task)
        loop = task.parent
        self.departs(task)
        for child in born:
            child.task_spec._update(child)
        if loop is not None and loop is not workflow.task_tree:
            loop.task_spec.instance_done(loop, task)
        elif workflow.live == 0:
            self.finish(workflow)

    def departs(self, task: LiveTask) -> None:
        """Remove a token from the tree."""
        node = task.task_spec
        if node.shown and "placed" in task.internal_data:
            self.run.moves(node.element.id, task.scope, -1)
        task.workflow.drop(task)

    def arrives(self, task: LiveTask) -> None:
        """Note that a token stays at its node for the time being."""
        if task.task_spec.shown:
            task.internal_data["placed"] = 1
            self.run.moves(task.task_spec.element.id, task.scope, 1)

    def dismiss_listeners(self, task: LiveTask) -> None:
        """Take back the events attached to an activity."""
        for child in task.children:
            if not child.task_spec.counts:
                self.withdraw(child)

    def withdraw(self, task: LiveTask) -> None:
        """Take a token and everything below it back."""
        for child in task.children:
            self.withdraw(child)
        below = self.subprocesses.pop(task.id, None)
        if below is not None:
            self._clear(below)
            self.leave_scope(below.scope, interrupted=True)
        task.task_spec.withdrawn(task)
        if "scope" in task.internal_data:
            self.leave_scope(task.internal_data["scope"], interrupted=True)
        task._set_state(TaskState.CANCELLED)
        self.departs(task)

    def clear(self, workflow: Tree, *, keep: LiveTask | None = None) -> None:
        """Take all tokens of one workflow back, its listeners too."""
        for task in workflow.task_tree.children:
            if task is not keep:
                self.withdraw(task)

    _clear = clear

    def start_below(self, owner: LiveTask, spec: ContainerSpec, scope: str) -> None:
        """Begin the process of a call activity or sub-process."""
        below = SubTree(spec, owner, self, scope)
        self.subprocesses[owner.id] = below
        below.plant()

    def finish(self, workflow: Tree) -> None:
        """End a workflow whose last token is gone."""
        self.clear(workflow)
        owner = workflow.owner
        if owner is None:
            self.ended = True
            self.run.emit(ProcessEnded(element=self.run.last_end, at=self.run.at))
            return
        del self.subprocesses[owner.id]
        owner.task_spec.below_done(owner, workflow)
        owner._ready()

    # Joins

    def _release_joins(self) -> bool:
        if not self.joining:
            return False
        waiting = [self.joining[id] for id in sorted(self.joining)]
        for exact in (False, True):
            for task in waiting:
                if task.task_spec.release(task, exact=exact):
                    return True
            stuck = next((t for t in waiting if _only_joins(t.workflow)), None)
            if stuck is None:
                return False
        assert stuck is not None  # noqa: S101 -- else returned above
        raise ProcessStuck(
            reason="joins wait for tokens that can't come", element=stuck.task_spec.element.id
        )


def _only_joins(workflow: Tree) -> bool:
    return all(
        task.task_spec.joins or not task.task_spec.counts for task in workflow.task_tree.children
    )
