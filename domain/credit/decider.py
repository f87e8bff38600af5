"""CreditBalance, the aggregate: stream `credit-<account id>`."""

from typing import get_args

from domain.credit.decide import decide
from domain.credit.events import CreditEvent
from domain.credit.evolve import evolve
from domain.credit.retired import RETIRED
from domain.credit.state import CreditBalance
from domain.decider import Decider

CREDIT = Decider(
    name="credit",
    has_account_streams=True,
    initial=CreditBalance(),
    decide=decide,
    evolve=evolve,
    events=(*get_args(CreditEvent), *RETIRED),
    state_type=CreditBalance,
    state_schema=4,
)
