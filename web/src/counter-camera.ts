// A picture by the camera of this device: in a dialog where there is one, by the phone's own camera on phones.
import type { Put } from "./counter-places";
import { on } from "./page";

export function cameras(texts: Record<string, string>, put: Put): void {
  const dialog = document.querySelector<HTMLDialogElement>("dialog#camera");
  const video = dialog?.querySelector("video");
  const trouble = dialog?.querySelector<HTMLElement>("[data-camera-error]");
  let place = "photo";

  const stop = (): void => {
    if (!(video?.srcObject instanceof MediaStream)) return;
    for (const track of video.srcObject.getTracks()) track.stop();
    video.srcObject = null;
  };

  on("click", "[data-camera]", (button) => {
    place = button.dataset.camera ?? "photo";
    const facing = place === "photo" ? "user" : "environment";
    if (window.matchMedia("(pointer: coarse)").matches) {
      const input = document.querySelector<HTMLInputElement>(`[data-pick="${place}"]`);
      input?.setAttribute("capture", facing);
      input?.click();
      input?.removeAttribute("capture");
      return;
    }
    if (!dialog || !video || !trouble) return;
    trouble.hidden = true;
    dialog.showModal();
    void start(video, facing).catch(() => {
      trouble.textContent = texts.no_camera ?? "";
      trouble.hidden = false;
    });
  });
  on("click", "[data-camera-take]", () => {
    if (!video || video.videoWidth === 0) return;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob((shot) => {
      if (shot) put(place, new File([shot], `camera-${Date.now()}.jpg`, { type: "image/jpeg" }));
      dialog?.close();
    }, "image/jpeg", 0.95);
  });
  dialog?.addEventListener("close", stop);
}

async function start(video: HTMLVideoElement, facingMode: string): Promise<void> {
  if (!("mediaDevices" in navigator)) throw new Error("no camera");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode, width: { ideal: 3840 }, height: { ideal: 2160 } } });
}
