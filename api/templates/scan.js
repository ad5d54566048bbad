// Reading codes with the camera or from a picture: pixels stay on this device.
import { decode } from "/qr.js";

const MOST_PIXELS = 1600;
const BETWEEN_LOOKS = 100;

async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await window.BarcodeDetector.getSupportedFormats();
  if (!formats.includes("qr_code")) return null;
  const reader = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async (source) => (await reader.detect(source))[0]?.rawValue ?? null;
}

function bundledReader() {
  const canvas = document.createElement("canvas");
  return async (source) => {
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const scale = Math.min(1, MOST_PIXELS / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    try {
      return decode(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch (error) {
      return null; // nothing in this picture
    }
  };
}

async function look(read, video, isWanted) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  try {
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    let text = null;
    while (text === null && isWanted()) {
      text = await read(video);
      await new Promise((next) => { setTimeout(next, BETWEEN_LOOKS); });
    }
    return text;
  } finally {
    video.hidden = true;
    for (const track of stream.getTracks()) track.stop();
  }
}

// Give a page its scanner: #scan, #picture, #camera and #trouble; `found` gets the text of a code.
export async function attach(found, words) {
  const find = (selector) => document.querySelector(selector);
  const read = (await ownReader()) ?? bundledReader();
  find("#scan").hidden = !navigator.mediaDevices;
  find("#picture").hidden = false;
  let isLooking = false;
  find("#scan").addEventListener("click", async () => {
    isLooking = !isLooking; // a second click stops it
    if (!isLooking) return;
    find("#trouble").textContent = "";
    let text = null;
    try {
      text = await look(read, find("#camera"), () => isLooking);
    } catch (error) {
      find("#trouble").textContent = words.noCamera;
    }
    isLooking = false;
    if (text !== null) await found(text);
  });
  find("#picture input").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    const text = await createImageBitmap(file).then(read, () => null);
    find("#trouble").textContent = text === null ? words.noCode : "";
    if (text !== null) await found(text);
  });
}
