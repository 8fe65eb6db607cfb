"""A refused request: the HTTP status, and the reason in English and Chinese.
被拒绝的请求：HTTP 状态码，以及中英文的原因。
"""


class Problem(Exception):
    """Raised when a request is refused.

    status: an HTTP status, such as 409.  en, zh: the reason, in English and in Chinese.
    """

    def __init__(self, status, en, zh):
        super().__init__(status, en)
        self.status, self.en, self.zh = status, en, zh

    def answer(self):
        """Return the problem as the result of a route: (status, dict)."""
        return self.status, {"error": {"en": self.en, "zh": self.zh}}
