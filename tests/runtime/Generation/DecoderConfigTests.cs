using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Generation;

internal sealed class DecoderConfigTests
{
    private static readonly SpecialTokens Special = new() { Eos = 7 };

    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Without_files_the_tokenizer_decides()
    {
        var config = DecoderConfig.Read([_folder.Path], Special);

        Assert.That(config.EndTokens, Is.EqualTo(new[] { 7 }));
    }

    [TestCase("config.json", """{ "eos_token_id": 3, "max_position_embeddings": 512 }""", new[] { 3 })]
    [TestCase("config.json", """{ "eos_token_id": null, "n_positions": 1024 }""", new[] { 7 })]
    [TestCase("generation_config.json", """{ "eos_token_id": [3, 4] }""", new[] { 3, 4 })]
    [TestCase("genai_config.json", """{ "model": { "eos_token_id": [2, 1], "context_length": 64 }, "search": { "max_length": 9 } }""", new[] { 1, 2 })]
    public void A_file_names_end_tokens(string file, string json, int[] ends)
    {
        _folder.Write(file, json);

        Assert.That(DecoderConfig.Read([_folder.Path], Special).EndTokens, Is.EqualTo(ends));
    }

    [Test]
    public void The_deployment_goes_before_the_model_that_it_was_made_from()
    {
        _folder.Write("genai_config.json", """{ "model": { "eos_token_id": 1 } }""");
        _folder.Write("config.json", """{ "eos_token_id": 2 }""");

        var config = DecoderConfig.Read([_folder.Path], Special);

        Assert.That(config.EndTokens, Is.EqualTo(new[] { 1 }));
    }

    [TestCase("{")]
    [TestCase("")]
    public void A_damaged_file_is_named(string json)
    {
        _folder.Write("generation_config.json", json);

        Assert.That(() => DecoderConfig.Read([_folder.Path], Special), Throws.InstanceOf<LortaException>().With.Property("Code").EqualTo("LRT105").And.Message.Contains("generation_config.json"));
    }
}
