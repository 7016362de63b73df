using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

internal sealed class RuntimeErrorsTests
{
    [TestCase("[ErrorCode:InvalidArgument] Non-zero status code returned while running Gather node. Name:'/embed/Gather' Status Message: indices element out of data bounds, idx=9", ExpectedResult = "indices element out of data bounds, idx=9")]
    [TestCase("[ErrorCode:Fail] Non-zero status code returned while running Add node. Name:'a' Status Message: /onnxruntime_src/core/framework/bfc_arena.cc:376 Failed to allocate\nat x", ExpectedResult = "Failed to allocate")]
    [TestCase("[ErrorCode:NoSuchFile] Load model from a.onnx failed.", ExpectedResult = "Load model from a.onnx failed")]
    [TestCase("/onnxruntime_src/core/session.cc:12 odd", ExpectedResult = "odd")]
    [TestCase("odd", ExpectedResult = "odd")]
    public string Codes_and_places_in_the_runtimes_sources_are_left_out(string message) => RuntimeErrors.Reason(message);
}
