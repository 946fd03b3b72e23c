"""The state of a live case as JSON-plain values and back: what is alive, never a spec.

Nothing of SpiffWorkflow's own serializer is used, so nothing stored is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.definitions import Definition
from engine.ids import CaseId
from engine.records import Json, instant_text, parse_instant
from engine.spiff.catching import hear
from engine.spiff.library import TaskState
from engine.spiff.machine import Machine
from engine.spiff.parser import Specs
from engine.spiff.scopes import Scope
from engine.spiff.seam import LiveTask
from engine.spiff.timers import Fired, Timer
from engine.spiff.trees import SubTree, Tree

VERSION = 2
_PUBLIC = frozenset({"wait", "timer", "scope"})
_KEPT = frozenset({"via", "wait", "unit", "timer", "scope", "total", "done", "items"})


def save(machine: Machine) -> dict[str, Json]:
    """Give the state of a case between two verbs."""
    trees = [machine, *machine.subprocesses.values()] if machine.started else []
    return {
        "version": VERSION,
        "definition": machine.definition.sha256,
        "last_task_id": machine.last_task_id,
        "last_public_id": machine.last_public_id,
        "ended": machine.ended,
        "scopes": [_save_scope(scope) for scope in machine.scopes.by_id.values()],
        "trees": [_save_tree(tree) for tree in trees],
        "timers": [_save_timer(timer) for timer in machine.timers.values()],
        "fired": [_save_fired(fired) for fired in machine.fired.values()],
    }


def restore(
    case: CaseId, definition: Definition, specs: Specs, saved: Mapping[str, Json]
) -> Machine:
    """Build a case from what `save` gave.

    Raises
    ------
    ValueError : another version wrote it, or it belongs to another definition.
    """
    if saved.get("version") != VERSION:
        message = f"saved by version {saved.get('version')!r}, this is {VERSION}"
        raise ValueError(message)
    if saved["definition"] != definition.sha256:
        message = "saved on another definition"
        raise ValueError(message)
    machine = Machine(case, definition, specs[definition.key])
    machine.last_task_id = saved["last_task_id"]
    machine.last_public_id = saved["last_public_id"]
    machine.ended = saved["ended"]
    for id, parent, element, process, variables, sealed in saved["scopes"]:
        own = None if variables is None else dict(variables)
        machine.scopes.add(Scope(id, parent, element, process, own, sealed))
    by_id: dict[int, LiveTask] = {}
    for owner, process, scope, tasks in saved["trees"]:
        tree: Tree = machine
        if owner is not None:
            tree = SubTree(specs[process], by_id[owner], machine, scope)
            machine.subprocesses[owner] = tree
        _restore_tasks(tree, tasks, by_id)
    for id, task, since, computed, due, remaining, interval in saved["timers"]:
        machine.timers[id] = Timer(
            id, by_id[task], _instant(since), _instant(computed), _instant(due), remaining, interval
        )
    for task, since, computed in saved["fired"]:
        machine.fired[task] = Fired(by_id[task], _instant(since), _instant(computed))
    return machine


def renamed(saved: Mapping[str, Json], names: Mapping[str, str], last: int) -> dict[str, Json]:
    """Give a saved state with other public ids: a case that continues on it keeps its own.

    Parameters
    ----------
    names : new short ids of tasks, timers, jobs and scopes by those they have in `saved`.
    last : the highest number any public id of the case ever had.
    """

    def name(id: Json) -> Json:
        return names.get(id, id) if id else id

    def token(task: list[Json]) -> list[Json]:
        *facts, kept = task
        return [*facts, {k: name(v) if k in _PUBLIC else v for k, v in kept.items()}]

    return {
        **saved,
        "last_public_id": last,
        "scopes": [[name(id), name(parent), *facts] for id, parent, *facts in saved["scopes"]],
        "trees": [
            [owner, process, name(scope), [token(task) for task in tasks]]
            for owner, process, scope, tasks in saved["trees"]
        ],
        "timers": [[name(id), *facts] for id, *facts in saved["timers"]],
    }


def _save_scope(scope: Scope) -> Json:
    variables = None if scope.variables is None else dict(scope.variables)
    return [scope.id, scope.parent, scope.element, scope.process, variables, scope.sealed]


def _save_tree(tree: Tree) -> Json:
    owner = None if tree.owner is None else tree.owner.id
    return [owner, tree.spec.name, tree.scope, [_save_task(task) for task in tree.tasks.values()]]


def _save_task(task: LiveTask) -> Json:
    kept = {k: v for k, v in task.internal_data.items() if k in _KEPT}
    return [task.id, task._parent, task.task_spec.name, task._state, kept]


def _save_timer(timer: Timer) -> Json:
    return [
        timer.id,
        timer.task.id,
        instant_text(timer.since),
        instant_text(timer.computed),
        instant_text(timer.due),
        timer.remaining,
        timer.interval,
    ]


def _save_fired(fired: Fired) -> Json:
    return [fired.task.id, instant_text(fired.since), instant_text(fired.computed)]


def _restore_tasks(tree: Tree, tasks: list[Json], by_id: dict[int, LiveTask]) -> None:
    machine, specs = tree.machine, tree.spec.task_specs
    for id, parent, name, state, kept in tasks:
        node = specs[name]
        task = LiveTask(tree, node, None if parent is None else by_id[parent], state, id)
        by_id[id] = task
        task.internal_data.update(kept)
        if parent is None:
            tree.task_tree = task
            continue
        tree.live += node.counts
        if node.shown and node.counts:
            task.internal_data["placed"] = 1
        if "wait" in kept:
            machine.waits[kept["wait"]] = task
        elif state == TaskState.WAITING and node.joins:
            machine.joining[id] = task
        elif state == TaskState.WAITING and node.trigger.kind in {"message", "signal"}:
            hear(task, node.trigger)


def _instant(text: str) -> datetime:
    return parse_instant(text)
