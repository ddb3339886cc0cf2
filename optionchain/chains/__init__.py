"""Option chains: ladders of strikes, smiles, quotes, and the arrays that hold them."""

from optionchain.chains.build import build_chain
from optionchain.chains.chain import GreekSet, OptionChain
from optionchain.chains.ladder import central_multiple, ladder, strike_intervals
from optionchain.chains.quotes import quote
from optionchain.chains.smile import smile
from optionchain.chains.together import ChainTerms, build_chains

__all__ = [
    "ChainTerms",
    "GreekSet",
    "OptionChain",
    "build_chain",
    "build_chains",
    "central_multiple",
    "ladder",
    "quote",
    "smile",
    "strike_intervals",
]
