"""Charts as small inline SVG. Colours and type come from the page's CSS, so they follow its theme.

A chart is drawn on a canvas narrow enough to be read on a phone at its natural size. Every mark
has a title, which browsers show on hover and screen readers read.
"""
