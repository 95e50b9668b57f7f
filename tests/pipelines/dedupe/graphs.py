"""Graphs as lists of pairs of nodes, and their components found the slow way."""

from itertools import pairwise

from hypothesis import strategies as st

NODES = 40


def find_roots(pairs):
    """The smallest node of the component of each node that has an edge."""
    roots = {node: node for pair in pairs for node in pair}
    while any(roots[a] != roots[b] for a, b in pairs):
        for a, b in pairs:
            roots[a] = roots[b] = min(roots[a], roots[b])
    return roots


# Nodes of several units; a number times this is a node far from its neighbours in number.
nodes = st.integers(0, NODES).map(lambda number: (number % 5) << 32 | number)
edges = st.tuples(nodes, nodes).filter(lambda pair: pair[0] != pair[1])


@st.composite
def graphs(draw):
    """Random edges with a path, a star and a clique here and there, in any order."""
    pairs = draw(st.lists(edges, max_size=25))
    path = draw(st.permutations(range(100, 100 + draw(st.integers(1, 40)))))
    pairs += list(pairwise(path))
    star = draw(st.permutations(range(200, 200 + draw(st.integers(1, 15)))))
    pairs += [(star[0], leaf) for leaf in star[1:]]
    clique = range(300, 300 + draw(st.integers(1, 6)))
    pairs += [(a, b) for a in clique for b in clique if a < b]
    return draw(st.permutations(pairs))
