"""How likely a llama.cpp server thinks an answer, token by token."""

import httpx


async def answer_logprobs(url, row):
    """Return the log-probability of every token of a training row's answer.

    Each token is forced by a bias that the reported probability, taken before it, does not see.
    """
    async with httpx.AsyncClient(base_url=url.removesuffix("/v1"), timeout=120) as http:

        async def post(path, body):
            response = await http.post(path, json=body)
            response.raise_for_status()
            return response.json()

        async def tokens(messages, generation):
            body = {"messages": messages, "add_generation_prompt": generation}
            text = (await post("/apply-template", body))["prompt"]
            body = {"content": text, "add_special": False, "parse_special": True}
            return (await post("/tokenize", body))["tokens"]

        prompt = await tokens(row["prompt"], True)
        whole = await tokens(row["prompt"] + row["completion"], False)
        assert whole[: len(prompt)] == prompt
        found = []
        for place in range(len(prompt), len(whole)):
            body = {"prompt": whole[:place], "n_predict": 1, "n_probs": 1, "cache_prompt": True}
            body |= {"temperature": 0.0, "logit_bias": [[whole[place], 10_000.0]]}
            (said,) = (await post("/completion", body))["completion_probabilities"]
            assert said["id"] == whole[place]
            found.append(said["logprob"])
        return found
