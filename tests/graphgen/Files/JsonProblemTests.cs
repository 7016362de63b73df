using System.Text.Json;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class JsonProblemTests
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    [TestCase("{", ExpectedResult = "line 1 is not JSON")]
    [TestCase("{\"name\": \"n\",\n\"inner\" 3}", ExpectedResult = "line 2 is not JSON")]
    [TestCase("{}", ExpectedResult = "missing: 'name', 'inner'")]
    [TestCase("[]", ExpectedResult = "it is not a JSON object")]
    [TestCase("""{"name": 3, "inner": {"sizes": [1]}}""", ExpectedResult = "'name' is missing or of the wrong type")]
    [TestCase("""{"name": "n", "inner": {}}""", ExpectedResult = "missing in 'inner': 'sizes'")]
    [TestCase("""{"name": "n", "inner": {"sizes": [1, "two"]}}""", ExpectedResult = "'inner.sizes[1]' is missing or of the wrong type")]
    public string? A_problem_is_told_by_the_keys_of_the_text(string json) =>
        JsonProblem.Of(Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Outer>(json, Options))!);

    private sealed record Outer
    {
        public required string Name { get; init; }

        public required Inner Inner { get; init; }
    }

    private sealed record Inner(int[] Sizes);
}
