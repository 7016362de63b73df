namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class RuntimeErrorsTests
{
    [TestCase("[ErrorCode:InvalidArgument] Non-zero status code returned while running Gather node. Name:'/embed/Gather' Status Message: indices element out of data bounds, idx=9", ExpectedResult = "indices element out of data bounds, idx=9")]
    [TestCase("[ErrorCode:Fail] Non-zero status code returned while running Add node. Name:'a' Status Message: /onnxruntime_src/core/framework/bfc_arena.cc:376 Failed to allocate\nat x", ExpectedResult = "Failed to allocate")]
    [TestCase("[ErrorCode:NoSuchFile] Load model from a.onnx failed.", ExpectedResult = "Load model from a.onnx failed")]
    [TestCase("/onnxruntime_src/core/session.cc:12 odd", ExpectedResult = "odd")]
    [TestCase("[ErrorCode:RuntimeException] /onnxruntime_src/core/session/provider_bridge_ort.cc:2043 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /a b/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory", ExpectedResult = "libcublasLt.so.13: cannot open shared object file: No such file or directory")]
    [TestCase("[ErrorCode:Fail] /onnxruntime_src/core/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] CUDA failure 100: no CUDA-capable device is detected ; GPU=0 ; hostname=h ; file=/onnxruntime_src/core/a.cc ; line=64 ; expr=cudaGetDeviceCount(&num_devices);", ExpectedResult = "CUDA failure 100: no CUDA-capable device is detected")]
    [TestCase("[ErrorCode:Fail] /onnxruntime_src/core/providers/cuda/info.cc:60 onnxruntime::FromProviderOptions(const Options&)::<lambda(const string&)> Invalid device ID: 99, must be between 0 (inclusive) and 1 (exclusive).", ExpectedResult = "Invalid device ID: 99, must be between 0 (inclusive) and 1 (exclusive)")]
    [TestCase("odd", ExpectedResult = "odd")]
    public string Codes_and_places_in_the_runtimes_sources_are_left_out(string message) => RuntimeErrors.Reason(message);
}
