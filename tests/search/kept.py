"""What a search made, kept in memory."""


class Kept:
    """Takes what a search records and gives back what it recalls of it.

    `archived` are the pulls it replays; they are not among `pulls`.
    """

    def __init__(self, archived=()):
        self.pulls = []
        self._candidates = {}
        for _, candidates in archived:
            self._keep(candidates)

    def record(self, pull, candidates):
        self.pulls.append((pull, candidates))
        self._keep(candidates)

    async def recall(self, identifier):
        return self._candidates[identifier]

    def _keep(self, candidates):
        self._candidates |= {candidate.id: candidate for candidate in candidates}
