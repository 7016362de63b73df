namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class CudaProviderTests
{
    [TestCase(false, "0")]
    [TestCase(true, "1")]
    public void Products_round_their_operands_only_where_that_is_allowed(bool allowed, string expected) =>
        Assert.That(CudaProvider.OptionsOf(new OrtEngineOptions { Device = "cuda", AllowTf32 = allowed })["use_tf32"], Is.EqualTo(expected));

    [TestCase("cuda", "0")]
    [TestCase("cuda:3", "3")]
    public void Card_is_the_one_that_is_named(string device, string expected) =>
        Assert.That(CudaProvider.OptionsOf(new OrtEngineOptions { Device = device })["device_id"], Is.EqualTo(expected));

    [TestCase("cpu", "CPUExecutionProvider")]
    [TestCase("cuda:1", "CUDAExecutionProvider")]
    public void Provider_follows_from_the_device(string device, string expected) => Assert.That(new OrtEngineOptions { Device = device }.Provider, Is.EqualTo(expected));
}
