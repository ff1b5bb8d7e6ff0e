"""The corridor itself: everything meets here, and nowhere else.

facts.py    what goes in and comes out     corridor.py  a request, from documents to a place in the house
taken.py    a request in the house         judging.py   one item, from its prompt to its score
steps.py    a trajectory turn by turn      asking.py    one prompt on its way to the engine
keys.py     what the memo knows it by      preparing.py one item, from its document to its prompt
calibrations.py  those that come later
"""

from app.adapters import FORMATS, is_chat_text
from app.audit import KINDS as FLAG_KINDS
from app.rewards import Execution, GroupStats, RewardPolicy
from app.scorer.corridor import Scorer
from app.scorer.facts import Measured, Model, Order, Outcome, Prepared, Scored, Work
from app.scorer.steps import StepChoice
from app.scorer.taken import Taken

__all__ = [
    "FLAG_KINDS",
    "FORMATS",
    "Execution",
    "GroupStats",
    "Measured",
    "Model",
    "Order",
    "Outcome",
    "Prepared",
    "RewardPolicy",
    "Scored",
    "Scorer",
    "StepChoice",
    "Taken",
    "Work",
    "is_chat_text",
]
