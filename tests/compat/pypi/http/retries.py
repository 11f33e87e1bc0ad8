# tenacity, backoff: repeat what fails, also asynchronously
import asyncio
import backoff
import tenacity


def handler(event, context):
    calls = []

    @tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_exponential(0.001), reraise=True)
    def flaky():
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return len(calls)

    @backoff.on_exception(backoff.expo, KeyError, max_tries=3, factor=0.001)
    async def slow():
        calls.append(2)
        if calls.count(2) < 2:
            raise KeyError
        return calls.count(2)

    return [flaky(), asyncio.run(slow()), flaky.statistics["attempt_number"]]
