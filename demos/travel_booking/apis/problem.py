"""What keeps an agent from having an answer, in words that the traveller may read.

Agents hand it to the answering model in place of data, so that the reply says what is missing instead of inventing it.
"""


class Problem(Exception):
    """No data for this question, and why."""
