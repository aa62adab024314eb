"""Lines of the AWS Jobs Sandbox sample, word for word."""

import asyncio
import json

from sandbox.answers import dump, show

SAMPLE = (
    '{"inProgressJobs":[],"queuedJobs":[],"timestamp":1730746099,'
    '"clientToken":"6c5828e4-9a6b-4b07-10d7-9193819b9c88"}',
    '{"jobs":{"QUEUED":[{"jobId":"TestJob","executionNumber":1,"versionNumber":1,'
    '"lastUpdatedAt":1730747114,"queuedAt":1730747114}]},"timestamp":1730747115}',
    '{"execution":{"jobId":"TestJob","jobDocument":{"Todo":"Reboot"},"status":"QUEUED",'
    '"queuedAt":1730747114,"lastUpdatedAt":1730747114,"versionNumber":1,"executionNumber":1},'
    '"timestamp":1730747115}',
    '{"clientToken":"686ccb4e-bb55-4032-68c9-5f810556d151","execution":{"jobId":"TestJob",'
    '"jobDocument":{"Todo":"Reboot"},"status":"IN_PROGRESS","queuedAt":1730747114,'
    '"startedAt":1730748422,"lastUpdatedAt":1730748422,"versionNumber":2,"executionNumber":1},'
    '"timestamp":1730748422}',
    '{"inProgressJobs":[{"jobId":"TestJob","executionNumber":1,"versionNumber":2,'
    '"lastUpdatedAt":1730748422,"queuedAt":1730747114,"startedAt":1730748422}],"queuedJobs":['
    '{"jobId":"QuestionableJob","executionNumber":1,"versionNumber":1,"lastUpdatedAt":1730747777,'
    '"queuedAt":1730747777}],"timestamp":1730748515,'
    '"clientToken":"14e7a359-41d3-e5f1-0b37-353434eeee0f"}',
    '{"clientToken":"47444947-7691-6c94-470f-878795f3462f","timestamp":1730748769}',
    '{"timestamp":1730749005}',
)


def test_the_samples_lines_come_out_to_the_letter():
    for line in SAMPLE:
        assert dump(json.loads(line)) == line


def test_members_that_the_sample_lacks_come_last_by_name():
    answer = {"zeta": 1, "timestamp": 5, "alpha": {"b": 2}}
    assert dump(answer) == '{"timestamp":5,"alpha":{"b":2},"zeta":1}'


def test_a_job_document_keeps_its_own_shape():
    document = {"jobs": [1, 2], "execution": "x", "text": 'quote " and ü'}
    dumped = json.loads(dump({"execution": {"jobId": "a", "jobDocument": document}}))
    assert dumped["execution"]["jobDocument"] == document


def test_both_groups_of_an_event_are_shown_in_order():
    event = {"jobs": {"QUEUED": [{"jobId": "b"}], "IN_PROGRESS": [{"jobId": "a"}]}}
    assert dump(event) == '{"jobs":{"IN_PROGRESS":[{"jobId":"a"}],"QUEUED":[{"jobId":"b"}]}}'


def test_members_of_unexpected_types_are_shown_as_they_are():
    for text in ('{"jobs":5}', '{"jobs":["x",null]}', '{"execution":"x"}', '{"queuedJobs":null}'):
        assert dump(json.loads(text)) == text


def test_keys_that_only_micropython_takes_for_json_do_no_harm():
    assert "5" in dump(json.loads('{5:1,"b":2,"a":3}'))


class Jobs:
    """What `show` knows of the jobs client."""

    def __init__(self, *events):
        self.events = [("JobExecutionsChanged", event) for event in events]


async def test_events_are_shown_in_the_samples_order_of_members():
    jobs, shown = Jobs('{"timestamp":5,"jobs":{"QUEUED":[],"IN_PROGRESS":[]}}'), []
    await show(jobs, shown.append)
    sorted_text = '{"jobs":{"IN_PROGRESS":[],"QUEUED":[]},"timestamp":5}'
    assert shown == ["Received JobExecutionsChanged event:  " + sorted_text]
    assert not jobs.events


async def test_an_event_that_is_not_read_back_is_shown_as_it_came():
    shown = []
    await show(Jobs('{"timestamp":inf}'), shown.append)
    assert shown == ['Received JobExecutionsChanged event:  {"timestamp":inf}']


async def test_whoever_waits_for_an_answer_that_came_before_an_event_gets_that_first():
    jobs, order = Jobs(*['{"timestamp":%d}' % n for n in (1, 2)]), []

    async def wait(answered):
        await answered.wait()
        order.append("answer")

    showing = asyncio.create_task(show(jobs, order.append))
    answered = asyncio.Event()
    waiting = asyncio.create_task(wait(answered))
    await asyncio.sleep_ms(0)  # both have had a turn: the first event is shown
    answered.set()
    jobs.events.append(("JobExecutionsChanged", '{"timestamp":3}'))
    await showing
    await waiting
    assert [line[-2:] for line in order] == ["1}", "2}", "er", "3}"]
