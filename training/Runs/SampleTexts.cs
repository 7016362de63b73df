using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Continues a recipe's prompts with the model as it is being trained: the likeliest token, one after the other.</summary>
/// <remarks>The evaluation graph has no key/value cache: each token takes a pass over the whole text, so the texts are short.</remarks>
/// <param name="recipe">The recipe, with <c>train.samples</c>.</param>
/// <param name="output">The output with the likeliest token at each place, int64 [rows, length].</param>
/// <param name="batches">Which batches the graph takes.</param>
internal sealed class SampleTexts(Recipe recipe, string output, BatchRuns batches)
{
    private const int NewTokens = 32;

    /// <summary>Those of a run; null where its recipe names no prompts.</summary>
    public static SampleTexts? Of(Recipe recipe, PreparedTask task) =>
        recipe.Train.Samples.Count > 0 && task.Options.Validation is not null && task.Trainer.Evaluator.Output is { } output
            ? new SampleTexts(recipe, output, task.Graphs.Batches)
            : null;

    private readonly TextTokenizer _tokenizer = TextTokenizer.Load(recipe.Tokenizer!);

    /// <summary>Each prompt with its continuation.</summary>
    /// <param name="runtime">Computes with the adapter as it is now.</param>
    public IEnumerable<string> Write(IForwardRuntime runtime) => recipe.Train.Samples.Select(prompt => Continue(runtime, prompt));

    private string Continue(IForwardRuntime runtime, string prompt)
    {
        List<int> ids = [.. recipe.Data.Bos && _tokenizer.Special.Bos is { } bos ? (int[])[bos] : [], .. _tokenizer.Encode(prompt)];
        var most = Math.Min(ids.Count + NewTokens, Math.Min(recipe.Data.MaxLength, batches.Sizes.Length ?? int.MaxValue));
        while (ids.Count is > 0 and var count && count < most)
        {
            int[] row = [.. ids];
            var sample = new Sample(row) { TokenLabels = [.. row.Select(id => (long)id)] };
            var batch = Batch.Of([sample], LabelKind.Token, _tokenizer.Filler);
            var next = (int)runtime.Forward(batch)[output].ToLongs()[count - 1];
            if (next == _tokenizer.Special.Eos) break;
            ids.Add(next);
        }
        return _tokenizer.Decode(ids.Where(id => !_tokenizer.Special.All.Contains(id)));
    }
}
