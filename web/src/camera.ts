// The photo of a visitor's page: taken with the phone's camera under a guide, or picked; looked at before it is sent; sent
// with its progress, and again by itself when the net comes back. The same bytes are the same photo to the server, so that
// sending twice does no harm. Without this script the page has a plain form.

const patience = 60_000; // ms without a byte
const waits = [1_000, 3_000, 8_000, 20_000]; // ms before each further try while the browser thinks it is online

interface Answer {
  outcome?: string;
  reason?: string;
}

const bar = document.querySelector<HTMLElement>("[data-camera]");
if (bar) start(bar);

function start(bar: HTMLElement): void {
  const url = bar.dataset.camera ?? "";
  const part = <T extends HTMLElement>(name: string): T => document.querySelector<T>(`[data-${name}]`)!;
  const word = (name: string): string => document.querySelector<HTMLTemplateElement>(`template[data-word="${name}"]`)?.content.textContent ?? "";
  const finder = part<HTMLDialogElement>("finder");
  const video = part<HTMLVideoElement>("video");
  const picture = part<HTMLImageElement>("picture");
  const message = part("message");
  const progress = part("progress");
  const meter = progress.querySelector("progress")!;

  let stream: MediaStream | undefined;
  let facing = bar.dataset.facing ?? "environment";
  let photo: Blob | undefined;
  let tries = 0;
  let request: XMLHttpRequest | undefined; // while it is under way
  let timer = 0;

  bar.hidden = false;

  // The camera.
  const hasCamera = window.isSecureContext && typeof navigator.mediaDevices?.getUserMedia === "function";

  async function openCamera(): Promise<void> {
    closeCamera();
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: facing }, width: { ideal: 2560 }, height: { ideal: 1920 } },
      });
    } catch {
      part<HTMLInputElement>("phone").click(); // refused or none: the phone's own camera
      return;
    }
    video.srcObject = stream;
    video.classList.toggle("mirrored", facing === "user");
    if (!finder.open) finder.showModal();
    await video.play().catch(() => undefined);
  }

  function closeCamera(): void {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
  }

  part("open").addEventListener("click", () => {
    if (hasCamera) void openCamera();
    else part<HTMLInputElement>("phone").click();
  });
  part("turn").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    void openCamera();
  });
  part("close-camera").addEventListener("click", () => finder.close());
  finder.addEventListener("close", closeCamera);
  part("shoot").addEventListener("click", () => {
    if (video.videoWidth === 0) return;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      finder.close();
      if (blob) show(blob);
    }, "image/jpeg", 0.92);
  });

  for (const name of ["album", "phone"]) {
    part<HTMLInputElement>(name).addEventListener("change", (event) => {
      const input = event.currentTarget as HTMLInputElement;
      const file = input.files?.[0];
      if (file) show(file);
      input.value = ""; // the same file can be picked again
    });
  }

  // The photo before it is sent.
  function show(blob: Blob): void {
    photo = blob;
    tries = 0;
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(blob);
    picture.hidden = false;
    part("unseen").hidden = true;
    message.textContent = "";
    switchTo(true);
  }
  // A HEIC is seen by few browsers; the server reads it.
  picture.addEventListener("error", () => {
    picture.hidden = true;
    part("unseen").hidden = false;
  });

  function switchTo(preview: boolean): void {
    part("start").hidden = preview;
    part("preview").hidden = !preview;
    part("choice").hidden = false;
    progress.hidden = true;
  }

  part("back").addEventListener("click", () => {
    photo = undefined;
    switchTo(false);
  });

  // Sending.
  part("send").addEventListener("click", () => {
    tries = 0;
    send();
  });
  window.addEventListener("online", () => {
    if (photo && part("choice").hidden) send();
  });
  window.addEventListener("offline", () => request?.abort());

  function send(): void {
    window.clearTimeout(timer);
    if (!photo || request) return;
    part("choice").hidden = true;
    progress.hidden = false;
    meter.value = 0;
    if (!navigator.onLine) {
      message.textContent = word("offline"); // "online" goes on
      return;
    }
    message.textContent = word("sending");
    const sent = new XMLHttpRequest();
    request = sent;
    let watchdog = 0;
    const alive = (): void => {
      window.clearTimeout(watchdog);
      watchdog = window.setTimeout(() => sent.abort(), patience);
    };
    sent.upload.onprogress = (event) => {
      alive();
      meter.value = event.total > 0 ? event.loaded / event.total : 0;
      if (event.loaded >= event.total) message.textContent = word("checking");
    };
    sent.responseType = "json";
    sent.onloadend = () => {
      window.clearTimeout(watchdog);
      request = undefined;
      const answer = sent.response as Answer | null;
      if (sent.status === 200 && answer?.outcome) window.location.assign(url); // the page says what became of it
      else if (sent.status === 401 || sent.status === 404) window.location.assign(url);
      else if (sent.status >= 400 && sent.status < 500 && sent.status !== 408) giveUp(answer?.reason ?? word("failed"));
      else again();
    };
    sent.open("POST", `${url}/photo`);
    sent.setRequestHeader("Content-Type", "application/octet-stream");
    alive();
    sent.send(photo);
  }

  // The net is gone, or the server is: later, by itself.
  function again(): void {
    if (!navigator.onLine) {
      message.textContent = word("offline");
      return;
    }
    const wait = waits[tries++];
    if (wait === undefined) {
      giveUp(word("failed"));
      return;
    }
    message.textContent = word("again");
    timer = window.setTimeout(send, wait * (0.75 + Math.random() / 2));
  }

  function giveUp(reason: string): void {
    message.textContent = reason;
    progress.hidden = true;
    part("choice").hidden = false;
  }
}
