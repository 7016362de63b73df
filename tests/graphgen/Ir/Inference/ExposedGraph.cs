using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inference;

/// <summary>A model whose every value is an output, run in ONNX Runtime on a synthetic batch: 3 rows of 7 tokens.</summary>
internal sealed class ExposedGraph(OnnxModel model, SymbolTable symbols)
{
    public sealed record Found(ElementType Type, long[] Dims, Dim[]? Content);

    public IReadOnlyDictionary<string, Found> Run()
    {
        var names = Expose();
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"exposed-{TestContext.CurrentContext.Test.ID}.onnx");
        IReadOnlyList<string> files = [];
        try
        {
            files = model.SaveFiles(path);
            return Run(path, names, results => names.Zip(results).ToDictionary(pair => pair.First, pair => Describe(pair.Second), StringComparer.Ordinal));
        }
        finally
        {
            foreach (var file in files) File.Delete(file);
        }
    }

    /// <summary>What a file computes on the batch: all bytes of its first output.</summary>
    public static byte[] Outputs(OnnxModel model, string path, SymbolTable symbols) =>
        new ExposedGraph(model, symbols).Run(path, [model.Graph.Outputs[0].Name], results => results[0].GetTensorDataAsSpan<byte>().ToArray());

    private T Run<T>(string path, string[] names, Func<IReadOnlyList<OrtValue>, T> read)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(path, options);
        using var run = new RunOptions();
        var inputs = model.Graph.Inputs.Where(input => input.Constant is null).ToArray();
        var values = inputs.Select(Feed).ToArray();
        using var results = session.Run(run, inputs.Select(input => input.Name).ToArray(), values, names);
        foreach (var value in values) value.Dispose();
        return read([.. results]);
    }

    // Claims about shapes go out of the file, so that ONNX Runtime cannot lean on them.
    private string[] Expose()
    {
        var made = model.Graph.Nodes.SelectMany(node => node.Outputs).OfType<Value>().Where(value => value.Type != ElementType.Undefined).ToArray();
        foreach (var value in made)
        {
            (value.Shape, value.Declaration) = (null, default);
            if (!model.Graph.IsOutput(value)) model.Graph.AddOutput(value);
        }
        return [.. made.Select(value => value.Name)];
    }

    private OrtValue Feed(Value input)
    {
        var dims = input.Shape!.Select(symbols.Size).ToArray();
        var count = dims.Aggregate(1L, (product, dim) => product * dim);
        var integers = Enumerable.Range(0, (int)count).Select(i => Integer(input.Name, i, dims[^1])).ToArray();
        return input.Type switch
        {
            ElementType.Int64 => OrtValue.CreateTensorValueFromMemory(integers, dims),
            ElementType.Int32 => OrtValue.CreateTensorValueFromMemory(integers.Select(value => (int)value).ToArray(), dims),
            ElementType.Float => OrtValue.CreateTensorValueFromMemory(new float[count], dims),
            ElementType.Float16 => OrtValue.CreateTensorValueFromMemory(new Float16[count], dims),
            _ => throw new NotSupportedException($"{input}"),
        };
    }

    private long Integer(string name, int index, long width) =>
        name.Contains("mask", StringComparison.Ordinal) ? 1
        : name.Contains("position", StringComparison.Ordinal) ? (index % width) + symbols.Past
        : name.Contains("token_type", StringComparison.Ordinal) ? 0
        : 5 + (index * 7 % 23);

    private static Found Describe(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        var content = info.ElementDataType == TensorElementType.Int64 && info.ElementCount <= 64 ? value.GetTensorDataAsSpan<long>().ToArray().Select(element => new Dim(element)).ToArray() : null;
        return new Found((ElementType)(int)info.ElementDataType, info.Shape, content);
    }
}

/// <summary>What symbols stand for: sizes of the batch by their name, any other what it was when first seen.</summary>
internal sealed class SymbolTable(long past, long headSize)
{
    private readonly Dictionary<string, long> _seen = new(StringComparer.Ordinal);

    public long Past => past;

    public long Size(Dim dim) => dim.Evaluate(symbol => Given(symbol) ?? 2);

    /// <summary>Whether the size follows from those of the batch.</summary>
    public bool IsGiven(Dim dim) => dim.Symbols.All(symbol => Given(symbol) is not null);

    /// <summary>Whether claimed sizes are the actual ones. A size that is one unknown symbol binds it.</summary>
    public bool Agrees(IReadOnlyList<Dim> claimed, IReadOnlyList<long> actual) =>
        claimed.Count == actual.Count && claimed.Zip(actual).All(pair => Agrees(pair.First, pair.Second));

    public bool Agrees(IReadOnlyList<Dim> claimed, IReadOnlyList<Dim> actual) => Agrees(claimed, [.. actual.Select(dim => dim.Value!.Value)]);

    private bool Agrees(Dim claimed, long actual)
    {
        var unknown = claimed.Symbols.Where(symbol => Given(symbol) is null && !_seen.ContainsKey(symbol)).ToArray();
        if (unknown.Length > 0 && claimed == Dim.Symbol(unknown[0])) _seen[unknown[0]] = actual;
        else if (unknown.Length > 0) return true;
        return claimed.Evaluate(symbol => Given(symbol) ?? _seen[symbol]) == actual;
    }

    private long? Given(string symbol) => symbol switch
    {
        "batch" or "batch_size" => 3,
        "sequence" or "sequence_length" => 7,
        "past" or "past_sequence" or "past_length" or "past_sequence_length" => past,
        "total_sequence_length" or "total_sequence" or "total" => past + 7,
        "kv_cache_dim" => headSize,
        _ => null,
    };
}
