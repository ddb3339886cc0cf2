"""Option chains: ladders of strikes, smiles, quotes, and the arrays that hold them."""

from optionchain.chains.build import build_chain
from optionchain.chains.chain import OptionChain
from optionchain.chains.columns import GreekSet
from optionchain.chains.contracts import COLUMNS, Contracts
from optionchain.chains.ladder import central_multiple, ladders, strike_intervals
from optionchain.chains.strike_rules import STRIKE_RULES, StrikeRule
from optionchain.chains.together import ChainTerms, build_chains, is_surely_priced
from optionchain.pricing.quotes import quote
from optionchain.pricing.smile import smile

__all__ = [
    "COLUMNS",
    "STRIKE_RULES",
    "ChainTerms",
    "Contracts",
    "GreekSet",
    "OptionChain",
    "StrikeRule",
    "build_chain",
    "build_chains",
    "central_multiple",
    "is_surely_priced",
    "ladders",
    "quote",
    "smile",
    "strike_intervals",
]
