// The microphone's end of the audio graph: hands 20 ms frames to the page. No codec, no socket.

import { Framer } from "./framer";

class Capture extends AudioWorkletProcessor {
  private readonly framer = new Framer(sampleRate);

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<{ muted: boolean }>) => {
      this.framer.muted = data.muted;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const block = inputs[0]?.[0];
    if (block !== undefined) {
      this.framer.push(block, (captured) => {
        this.port.postMessage(captured, captured.frame === null ? [] : [captured.frame]);
      });
    }
    return true;
  }
}

registerProcessor("offhook-capture", Capture);
