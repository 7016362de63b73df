using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tests;

internal sealed class RecipeSchemaTests
{
    private static readonly JsonObject Schema = RecipeSchema.Recipe(LortaCatalog.Default);

    [TestCase("seed", """{"description":"Every random value is a function of this number, a name and an index.","type":"integer","default":0}""")]
    [TestCase("train.batchSize", """{"description":"Rows of one micro-batch.","type":"integer","minimum":1,"default":16}""")]
    [TestCase("train.optimizer.eps", """{"description":"Added to the root of the second moment of AdamW.","type":"number","exclusiveMinimum":0,"default":1E-08}""")]
    [TestCase("train.evaluateEvery", """{"description":"When to evaluate: epoch, never, or a number of steps.","anyOf":[{"enum":["epoch","never"]},{"type":"integer","minimum":1}],"default":"epoch"}""")]
    [TestCase("train.schedule.name", """{"description":"The shape after the warm-up.","type":"string","enum":["constant","linear","cosine"],"default":"linear"}""")]
    public void A_key_has_its_description_type_range_and_default(string path, string expected) =>
        Assert.That(Property(path).ToJsonString(RecipeJsonForTests), Is.EqualTo(expected));

    [Test]
    public void Unknown_keys_are_refused_everywhere()
    {
        foreach (var path in new[] { "adapter", "data", "data.columns", "train", "train.optimizer", "train.schedule", "taskOptions" })
            Assert.That(Property(path)["additionalProperties"]!.GetValue<bool>(), Is.False, path);
        Assert.That(Schema["additionalProperties"]!.GetValue<bool>(), Is.False);
    }

    [Test]
    public void Only_model_task_and_data_are_required() =>
        Assert.That(Schema["required"]!.AsArray().Select(name => name!.GetValue<string>()), Is.EqualTo(new[] { "model", "task", "data" }));

    [Test]
    public void Every_key_has_a_description() =>
        Assert.That(Keys(Schema, string.Empty).Where(key => key.Schema["description"] is null).Select(key => key.Path), Is.Empty);

    [Test]
    public void The_adapter_schema_is_that_of_the_recipes_section() =>
        Assert.That(RecipeSchema.Adapter(LortaCatalog.Default)["properties"]!.ToJsonString(), Is.EqualTo(Property("adapter")["properties"]!.ToJsonString()));

    private static System.Text.Json.JsonSerializerOptions RecipeJsonForTests { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonObject Property(string path) => path.Split('.').Aggregate(Schema, (schema, key) => schema["properties"]![key]!.AsObject());

    private static IEnumerable<(string Path, JsonObject Schema)> Keys(JsonObject schema, string path) =>
        from property in (schema["properties"] as JsonObject ?? [])
        let key = (Path: $"{path}.{property.Key}", Schema: property.Value!.AsObject())
        from found in Keys(key.Schema, key.Path).Prepend(key)
        select found;
}
