"""The door: bounded tokens inside the engine, bounded work waiting, refusal at once, an order of work.

Sees integers, keys and clocks, no text. A request is taken or refused whole (`Admission.enter`); each of
its items then takes a seat, waits for room, and leaves at once when nobody wants it any more, waking
whoever is next, so that no token is leaked by any storm of cancellations.

door.py      limits, refusals, who goes in         inside.py    the window that is kept just full
lines.py     the order of work                     seats.py     what is known of an item
pace.py      seconds from tokens, fitted           prefixes.py  what the engine's cache holds
measure.py   what an item costs, and its parts     parts.py     a long item goes in by parts
forecast.py  when work would be finished          kin.py       who waits for what others compute
ticket.py    one request's place in the house
"""

from app.admission.door import Admission, Limits
from app.admission.parts import in_parts
from app.admission.prefixes import BLOCK_TOKENS, Chain, Prefixes, chain_of
from app.admission.seats import CLASSES, Demand, Seat, Standing, capped
from app.admission.ticket import Ticket

__all__ = [
    "BLOCK_TOKENS",
    "CLASSES",
    "Admission",
    "Chain",
    "Demand",
    "Limits",
    "Prefixes",
    "Seat",
    "Standing",
    "Ticket",
    "capped",
    "chain_of",
    "in_parts",
]
