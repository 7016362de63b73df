using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace LoRTA.Onnx.GenAI.Tests;

/// <summary>Runs the decoder in C# of <c>docs/deploying.md</c>.</summary>
internal sealed class DeployingTests
{
    private const string Prompt = "In the beginning";

    [Test]
    public void The_page_shows_the_method_that_is_run_here() =>
        Assert.That(PageBlock.Of("docs/deploying.md").Last(block => block.Language == "csharp").IsMethodOf("tests/genai/DeployingTests.cs"));

    [TestCase(false)]
    [TestCase(true)]
    public void A_deployed_decoder_writes_the_text_that_the_command_generates(bool keepBase)
    {
        using var folder = new TestFolder();
        var path = Deployment.Assembled("llama-mini/genai-int4").Adapted(keepBase).Open(folder);
        using var engine = new OrtEngine();
        using var generator = new TextGenerator(engine, OnnxModel.Load(path));

        var text = Continue(path, Prompt, maxTokens: 20);

        Assert.That(text, Is.EqualTo(generator.Continue(Prompt, new GenerationOptions { MaxTokens = 20 }).Whole));
    }

    // page
    private static string Continue(string folder, string prompt, int maxTokens)
    {
        using var model = new Model(folder);
        using var tokenizer = new Tokenizer(model);
        tokenizer.UpdateOptions(new Dictionary<string, string> { ["add_special_tokens"] = "true" });   // as in training
        using var ids = tokenizer.Encode(prompt);
        using var settings = new GeneratorParams(model);
        settings.SetSearchOption("max_length", ids[0].Length + maxTokens);
        settings.SetSearchOption("do_sample", false);
        using var generator = new Generator(model, settings);
        generator.AppendTokenSequences(ids);
        while (!generator.IsDone()) generator.GenerateNextToken();
        return tokenizer.Decode(generator.GetSequence(0));
    }
    // end
}
