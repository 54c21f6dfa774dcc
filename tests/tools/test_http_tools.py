"""HTTP tools against a real socket: what is sent, what comes back, what is refused."""

import pytest

from offhook.foundation.tools import Effect, ToolSpec
from offhook.tools.base import Rules, ToolContext, ToolError
from offhook.tools.http import MAX_BYTES, HttpService
from offhook.tools.template import Template

CALL = ToolContext("call_1", "default", "phone", "+15550100", "+15550199", "en")


@pytest.fixture
async def run(service):
    made = []

    async def ask(path="/weather/{city}", arguments=None, private=True, **template):
        http = HttpService(Template(f"{service.url}{path}", **template), private)
        made.append(http)
        tool = http.tool(ToolSpec("weather", "", {}), Rules(Effect.READ))
        return await tool.run({"city": "Lisbon"} if arguments is None else arguments, CALL)

    yield ask
    for http in made:
        await http.close()


async def test_arguments_fill_the_address_and_the_rest_the_query(run, service):
    text = await run("/weather/{city}?unit=c", {"city": "São Paulo/..", "days": 3, "hourly": True})
    assert text == '{"temperature":21}'
    (asked,) = service.asked
    assert asked.path == "/weather/S%C3%A3o%20Paulo%2F..?unit=c&days=3&hourly=true"


async def test_a_body_is_json_or_a_form(run, service):
    await run("/orders", {"item": "tea", "count": 2}, method="POST")
    assert service.asked[0].json == {"item": "tea", "count": 2}
    await run("/orders", {"item": "tea", "count": 2}, method="POST", form=True)
    assert service.asked[1].body == b"item=tea&count=2"


async def test_what_the_line_knows_cannot_be_talked_over(run, service):
    template = {"fixed": {"phone": "{call.caller}"}, "headers": {"X-Key": "secret-1"}, "method": "POST"}
    await run("/calls/{call.id}", {"phone": "+19005550100", "call.caller": "me", "note": "hi"}, **template)
    (asked,) = service.asked
    assert asked.path == "/calls/call_1"
    assert asked.json == {"phone": "+15550100", "call.caller": "me", "note": "hi"}
    assert asked.headers["x-key"] == "secret-1"


@pytest.mark.parametrize("city", ["..", ".", "", "..."])
async def test_an_argument_never_climbs_out_of_its_place(run, service, city):
    with pytest.raises(ToolError):
        await run(arguments={"city": city})
    assert service.asked == []


async def test_redirects_are_not_followed(run, service):
    service.says(b"", "302 Found", location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(ToolError, match="302"):
        await run()
    assert len(service.asked) == 1


async def test_no_caller_gets_another_ones_session(service):
    http = HttpService(Template(f"{service.url}/me"), True)
    service.says(b"hello", set_cookie="session=first-callers; Path=/")
    for caller in ("+15550100", "+15550111"):
        await http.run({}, ToolContext("call_1", caller=caller))
    await http.close()
    assert [asked.headers.get("cookie") for asked in service.asked] == [None, None]


async def test_inner_addresses_are_refused_unless_allowed(run, service):
    with pytest.raises(ToolError, match="not a public one"):
        await run(private=False)
    assert service.asked == []


@pytest.mark.parametrize("charset", ["klingon", "hex", "latin-1"])
async def test_an_answer_in_an_unknown_encoding_is_read_all_the_same(run, service, charset):
    service.says(b"21 degrees", content_type=f"text/plain; charset={charset}")
    assert await run() == "21 degrees"


async def test_a_refusal_says_why(run, service):
    service.says(b"no such city", "404 Not Found")
    with pytest.raises(ToolError, match="404: no such city"):
        await run()


async def test_too_long_an_answer_is_refused(run, service):
    service.says(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ToolError, match="more than it may"):
        await run()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf", b"garbage\r\n\r\n"]
)
async def test_a_service_that_breaks_off_is_not_reached(run, service, answer):
    service.answer = answer
    with pytest.raises(ToolError, match="cannot be reached"):
        await run()


async def test_json_that_is_none_comes_as_it_is(run, service):
    service.says(b"{oops", content_type="application/json")
    assert await run() == "{oops"
    service.says(b"")
    assert await run() == "done"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "http://{host}/a",
        "http://user@x/",
        "/path",
        "https://x/{nothing}",
        "https://x/{call.secret}",
    ],
)
def test_templates_that_cannot_be_filled_are_told(url):
    assert Template(url).fault({"city"})
    assert not Template("https://x/{city}?p={call.caller}").fault({"city"})
