"""One iteration of a run by hand, so that iterations of one archive may have different policies."""

from engine.loop import Past, Progress, Stage, run_iterations
from engine.programs.evaluate import Evaluator


async def iterate(index, tasks, settings, policy, sandbox, writer, start=None):
    async def may_start():
        await writer.ready()
        return True

    async def on_ready():
        pass

    stages = [Stage(index, "train", range(len(tasks)))]
    nothing = Past([], {}, lambda iteration: (), lambda iteration, task: iter(()), lambda _: None)
    through = await run_iterations(
        tasks,
        stages,
        settings,
        policy,
        judge=Evaluator(sandbox),
        memory=writer,
        learn=None,
        may_start=may_start,
        past=nothing,
        progress=Progress(),
        start=start,
        on_ready=on_ready,
    )
    assert through
