"""Understanding a run: what its archive says, computed once for app, command line and report.

Read a run with `analyse`, or step by step with `read_records` and `run_analysis`; put runs together
with `pool`, beside each other with `compare` and `scaling`. What comes back is plain data: frozen
dataclasses of numbers, strings and tuples.
"""

from engine.analysis.calibration import Calibration, CalibrationBin
from engine.analysis.changes import (
    NamedSettings,
    SettingChange,
    file_names,
    read_settings_files,
    setting_changes,
)
from engine.analysis.comparing import (
    Comparison,
    ComparisonError,
    PairedTask,
    PairedTest,
    Side,
    SideFigures,
    SolvedAtBudget,
    compare,
)
from engine.analysis.diversity import GroupDiversity, RunWarning
from engine.analysis.estimates import Estimate, estimate, mcnemar, pass_at_k
from engine.analysis.iteration import (
    BudgetFigures,
    EqualBudget,
    FormulaFigures,
    IterationFigures,
    PassFigures,
)
from engine.analysis.near import NearMiss
from engine.analysis.operators import OperatorSuccess
from engine.analysis.pooling import Member, MemberFigures, Pool, PoolError, pool
from engine.analysis.record import SearchRecord
from engine.analysis.run import RunAnalysis, RunRecords, analyse, read_records, run_analysis
from engine.analysis.scaling import ScalingPoint, scaling
from engine.analysis.spending import PerSolved, Spending
from engine.analysis.tasks import HardTask, LostTask, NearTask
from engine.analysis.together import ReadRun, compare_runs, members_of, side_of, unvoted

__all__ = [
    "BudgetFigures",
    "Calibration",
    "CalibrationBin",
    "Comparison",
    "ComparisonError",
    "EqualBudget",
    "Estimate",
    "FormulaFigures",
    "GroupDiversity",
    "HardTask",
    "IterationFigures",
    "LostTask",
    "Member",
    "MemberFigures",
    "NamedSettings",
    "NearMiss",
    "NearTask",
    "OperatorSuccess",
    "PairedTask",
    "PairedTest",
    "PassFigures",
    "PerSolved",
    "Pool",
    "PoolError",
    "ReadRun",
    "RunAnalysis",
    "RunRecords",
    "RunWarning",
    "ScalingPoint",
    "SearchRecord",
    "SettingChange",
    "Side",
    "SideFigures",
    "SolvedAtBudget",
    "Spending",
    "analyse",
    "compare",
    "compare_runs",
    "estimate",
    "file_names",
    "mcnemar",
    "members_of",
    "pass_at_k",
    "pool",
    "read_records",
    "read_settings_files",
    "run_analysis",
    "scaling",
    "setting_changes",
    "side_of",
    "unvoted",
]
