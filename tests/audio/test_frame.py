from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding


def test_arithmetic():
    assert (PHONE.width, WIDEBAND.width) == (1, 2)
    assert (PHONE.samples(20), PHONE.size(20), WIDEBAND.size(20)) == (160, 160, 640)
    assert AudioFormat(Encoding.PCM16, 11025).size(20) == 440
    assert (PHONE.ms(160), WIDEBAND.ms(640)) == (20, 20)


def test_silence():
    assert PHONE.silence(3) == b"\xff\xff\xff"
    assert AudioFormat(Encoding.ALAW, 8000).silence(2) == b"\xd5\xd5"
    assert WIDEBAND.silence(2) == bytes(4)
