using Microsoft.ML.OnnxRuntimeGenAI;

namespace LoRTA.Onnx.GenAI.Tests;

/// <summary>A folder opened as an application of ONNX Runtime GenAI does it.</summary>
internal sealed class Client : IDisposable
{
    private readonly Model _model;
    private readonly Tokenizer _tokenizer;

    public Client(string folder)
    {
        _model = new Model(folder);
        _tokenizer = new Tokenizer(_model);
        _tokenizer.UpdateOptions(new Dictionary<string, string>(StringComparer.Ordinal) { ["add_special_tokens"] = "true" });   // as in training
    }

    public int[] Encode(string text)
    {
        using var sequences = _tokenizer.Encode(text);
        return [.. sequences[0]];
    }

    public string Decode(int[] ids) => _tokenizer.Decode(ids);

    /// <summary>The ids that follow, greedily; the one that ends the text is among them.</summary>
    public int[] Continue(int[] prompt, int maxTokens)
    {
        using var parameters = new GeneratorParams(_model);
        parameters.SetSearchOption("max_length", prompt.Length + maxTokens);
        parameters.SetSearchOption("do_sample", false);
        using var generator = new Generator(_model, parameters);
        generator.AppendTokens(prompt);
        while (!generator.IsDone()) generator.GenerateNextToken();
        return [.. generator.GetSequence(0)[prompt.Length..]];
    }

    public void Dispose()
    {
        _tokenizer.Dispose();
        _model.Dispose();
    }
}
