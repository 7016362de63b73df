// ONNX Runtime's official builds report what they open to their vendor, unless this is set before the runtime is loaded.
process.env.ORT_DISABLE_TELEMETRY = '1';
