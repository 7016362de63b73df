using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GenAI.Tests;

/// <summary>ONNX Runtime GenAI writes the same text from the same folder.</summary>
internal sealed class ClientAgreementTests
{
    private const int Tokens = 40;

    private static readonly Deployment[] Deployments =
    [
        // Client 0.18 takes this tokenizer.json for SentencePiece, since its decoder has a ByteFallback, and finds no ids for spaces.
        Deployment.Fixture("smollm2") with { ClientReadsTokenizer = false },
        Deployment.Assembled("llama-mini/genai"),
        Deployment.Assembled("llama-mini/genai-qkv"),
        Deployment.Assembled("llama-mini/genai-int4"),
        Deployment.Fixture("smollm2").Adapted(keepBase: false) with { ClientReadsTokenizer = false },
        Deployment.Fixture("smollm2").Adapted(keepBase: true) with { ClientReadsTokenizer = false },
        Deployment.Assembled("llama-mini/genai").Adapted(keepBase: false),
        Deployment.Assembled("llama-mini/genai").Adapted(keepBase: true),
        Deployment.Assembled("llama-mini/genai-int4").Adapted(keepBase: false),
        Deployment.Assembled("llama-mini/genai-int4").Adapted(keepBase: true),
    ];

    private static readonly string[] Prompts =
    [
        "In the beginning",
        "KING RICHARD II:\nWhat",
        "The capital of France is",
        "Naïve café — 日本語 🙂, said she:",
    ];

    [TestCaseSource(nameof(Deployments))]
    public void Ids_and_texts_are_those_of_the_client(Deployment deployment)
    {
        using var folder = new TestFolder();
        var path = deployment.Open(folder);
        using var engine = new OrtEngine();
        using var generator = new TextGenerator(engine, OnnxModel.Load(path));
        using var client = new Client(path);

        foreach (var prompt in Prompts)
        {
            var text = generator.Continue(prompt, new GenerationOptions { MaxTokens = Tokens });

            var ids = client.Continue([.. text.Prompt], Tokens);
            Assert.That(text.Ids, Is.EqualTo(text.End is GenerationEnd.EndToken ? ids[..^1] : ids), text.Whole);
            if (!deployment.ClientReadsTokenizer) continue;
            Assert.That(text.Prompt, Is.EqualTo(client.Encode(prompt)), prompt);
            Assert.That(text.Text, Is.EqualTo(client.Decode([.. text.Ids])));
        }
    }
}
