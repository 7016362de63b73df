namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

internal sealed class TrainablePatternTests
{
    [TestCase("classifier.*", "classifier.dense.weight", ExpectedResult = true)]
    [TestCase("*.bias", "roberta.encoder.layer.0.attention.self.query.bias", ExpectedResult = true)]
    [TestCase("*.bias", "classifier.dense.weight", ExpectedResult = false)]
    [TestCase("*LayerNorm*", "roberta.encoder.layer.1.output.LayerNorm.weight", ExpectedResult = true)]
    [TestCase("classifier.bias", "classifier.bias", ExpectedResult = true)]
    [TestCase("classifier.bias", "classifierxbias", ExpectedResult = false)]
    [TestCase("classifier", "classifier.bias", ExpectedResult = false)]
    [TestCase("a.b", "x.a.b", ExpectedResult = false)]
    [TestCase("CLASSIFIER.*", "classifier.bias", ExpectedResult = false)]
    public bool Star_stands_for_any_characters_and_all_else_for_itself(string pattern, string name) => new TrainablePattern { Match = pattern }.Fits(name);

    [TestCase("classifier.bias", ExpectedResult = true)]
    [TestCase("classifier.*", ExpectedResult = false)]
    public bool Pattern_without_star_is_a_name(string pattern) => new TrainablePattern { Match = pattern }.IsExact;
}
