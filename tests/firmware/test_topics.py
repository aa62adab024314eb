from sandbox import topics

LONGEST_THING = "t" * 128


def test_subscribe_has_six_filters_in_one_packet():
    packet = topics.subscribe_packet("x")
    assert packet == (
        b"\x82\xb9\x01\0\x01"
        b"\0\x19$aws/things/x/jobs/notify\x01"
        b"\0\x1e$aws/things/x/jobs/notify-next\x01"
        b"\0\x18$aws/things/x/jobs/get/+\0"
        b"\0\x1f$aws/things/x/jobs/start-next/+\0"
        b"\0\x1a$aws/things/x/jobs/+/get/+\0"
        b"\0\x1d$aws/things/x/jobs/+/update/+\0"
    ), packet


def test_subscribe_takes_the_longest_thing():
    packet = topics.subscribe_packet(LONGEST_THING)
    size = (packet[1] & 0x7F) | packet[2] << 7
    assert size == len(packet) - 3
    topic = b"$aws/things/%s/jobs/notify" % LONGEST_THING.encode()
    assert packet[5:7] == len(topic).to_bytes(2, "big")
    assert packet[7 : 7 + len(topic)] == topic


def test_they_are_at_most_eight():
    assert len(topics.filters("x")) <= 8, "AWS IoT closes the connection for more"


def test_no_filter_matches_a_request_of_ours():
    def matches(name, topic):
        names, levels = name.split("/"), topic.split("/")
        if len(names) != len(levels):
            return False
        return all(n in ("+", t) for n, t in zip(names, levels))

    for request in ("get", "start-next", "id/get", "id/update", "$next/get"):
        for name, _ in topics.filters("x"):
            assert not matches(name, topics.prefix("x") + request), (name, request)


def test_prefix_takes_the_longest_thing():
    assert topics.prefix(LONGEST_THING) == "$aws/things/%s/jobs/" % LONGEST_THING
