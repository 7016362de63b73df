using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Generation;

internal sealed class PositionLimitTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [TestCase("config.json", """{ "max_position_embeddings": 512 }""", 512, "max_position_embeddings")]
    [TestCase("config.json", """{ "n_positions": 1024 }""", 1024, "n_positions")]
    [TestCase("genai_config.json", """{ "model": { "context_length": 64 }, "search": { "max_length": 9 } }""", 64, "context_length")]
    public void A_file_states_it(string file, string json, int tokens, string key)
    {
        var path = _folder.Write(file, json);

        Assert.That(Stated(), Is.EqualTo(new PositionLimit(tokens, $"{key} in {path}")));
    }

    [TestCase("""{ "model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1 }""", 512)]
    [TestCase("""{ "model_type": "roberta", "max_position_embeddings": 514 }""", 512)]
    [TestCase("""{ "model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 0 }""", 513)]
    [TestCase("""{ "model_type": "esm", "max_position_embeddings": 1026, "position_embedding_type": "absolute" }""", 1024)]
    [TestCase("""{ "model_type": "esm", "max_position_embeddings": 1026, "position_embedding_type": "rotary" }""", 1026)]
    [TestCase("""{ "model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0 }""", 512)]
    public void Rows_of_a_table_that_belong_to_padding_are_no_positions(string json, int tokens)
    {
        _folder.Write("config.json", json);

        Assert.That(Stated()?.Tokens, Is.EqualTo(tokens));
    }

    [TestCase("{}")]
    [TestCase("""{ "model_type": "deberta-v2", "max_position_embeddings": 512, "position_biased_input": false }""")]
    [TestCase("""{ "model_type": "t5", "n_positions": 512 }""")]
    public void A_model_without_a_table_has_no_limit(string json)
    {
        _folder.Write("config.json", json);

        Assert.That(Stated(), Is.Null);
    }

    [Test]
    public void The_deployment_goes_before_the_model_that_it_was_made_from()
    {
        using var deployment = new TestFolder();
        deployment.Write("genai_config.json", """{ "model": { "eos_token_id": 1 } }""");
        deployment.Write("config.json", """{ "max_position_embeddings": 16 }""");
        _folder.Write("config.json", """{ "max_position_embeddings": 8 }""");

        var limit = PositionLimit.Of(ConfigFiles.Read(deployment.Path, _folder.Path));

        Assert.That(limit?.Tokens, Is.EqualTo(16));
    }

    [TestCase(1_000_000, 512)]
    [TestCase(100, 100)]
    public void The_smaller_of_the_files_and_the_table_in_the_graph_counts(int stated, int tokens)
    {
        _folder.Write("config.json", $$"""{ "max_position_embeddings": {{stated}} }""");
        var model = OnnxModel.Load(Exports.Path("llama-mini/genai"));

        var limit = PositionLimit.Of(model, _folder.Path)!;

        Assert.That(limit.Tokens, Is.EqualTo(tokens));
        Assert.That(limit.Source, Does.StartWith(tokens == stated ? "max_position_embeddings in" : "table of positions in"));
    }

    private PositionLimit? Stated() => PositionLimit.Of(ConfigFiles.Read(_folder.Path));
}
