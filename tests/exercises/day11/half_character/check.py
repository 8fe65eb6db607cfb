"""How half_character is judged."""
from judge import sockets
from judge.verdict import Refused

HINTS = [
    ("Nearly every Chinese character has three bytes in UTF-8. Where can recv() cut it?",
     "汉字的 UTF-8 编码一般是三个字节。recv() 会在哪里切断？"),
    ("Bytes can be cut anywhere, so do not decode a piece by itself.",
     "字节可以在任何地方被切断，所以不要单独解码一块。"),
    ("Collect the bytes and decode once at the end, or use codecs.getincrementaldecoder.",
     "收集字节，最后解码一次；或者用 codecs.getincrementaldecoder。"),
]
NOTICE = ('errors="ignore" hides the error, but does not fix it. To show text while it arrives, use codecs.getincrementaldecoder("utf-8").',
           'errors="ignore" 只是掩盖错误。要边收边显示：codecs.getincrementaldecoder("utf-8")。')
REASONS = {
    "broken": "exception",
    "wrong_ignore": "lost",
    "wrong_larger_buffer": "exception",
    "wrong_multiple_of_three": "exception",
}


TEXT = "a你好，é世界 😀."


def judge(subject):
    [receive_text] = subject.load("receive_text")
    data = TEXT.encode()
    for size in 1, 4, 2:
        with sockets.pair() as (client, server):
            call = subject.start(receive_text, server)
            sockets.feed(call, client, server, [data[start:start + size] for start in range(0, len(data), size)])
            client.close()
            got = call.result()
        if got != TEXT:
            raise Refused("lost", f"when the text is sent in {size}-byte pieces, the text received is not the text sent", f"以 {size} 字节为一块发送，收到的文本和发送的不同",
                          [f"  sent · 发送: {TEXT!r}", f"  got · 得到:  {got!r}"[:76]])
