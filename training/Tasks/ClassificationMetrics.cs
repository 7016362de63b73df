using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Accuracy, F1 and Matthews correlation of class predictions, from the counts of one confusion matrix.</summary>
internal sealed class ClassificationMetrics : IMetrics
{
    /// <summary>Name of the correlation, which is 0 where every row gets the same class and where every row is of the same.</summary>
    public const string MatthewsName = "matthews";

    private readonly SortedDictionary<(int Predicted, int Expected), long> _counts = [];

    /// <summary>Adds rows whose predicted class is that of the largest logit.</summary>
    /// <param name="logits">[rows, classes].</param>
    /// <param name="labels">int64 [rows].</param>
    public void Add(OnnxTensor logits, OnnxTensor labels)
    {
        var scores = logits.ToFloats();
        var expected = labels.ToLongs();
        var classes = (int)logits.Dims[^1];
        for (var row = 0; row < expected.Length; row++)
        {
            if (expected[row] != TaskLosses.Ignored)
                Add(TensorPrimitives.IndexOfMax<float>(scores.AsSpan(row * classes, classes)), (int)expected[row]);
        }
    }

    public IEnumerable<Metric> Values(double loss) => [new("accuracy", Accuracy), new("f1", F1), new(MatthewsName, Matthews)];

    public void Add(int predicted, int expected) => _counts[(predicted, expected)] = _counts.GetValueOrDefault((predicted, expected)) + 1;

    /// <summary>Share of rows whose class is predicted; 0 without rows.</summary>
    public double Accuracy => Ratio(Correct, Total);

    /// <summary>F1 of class 1: 2·tp / (2·tp + fp + fn); 0 where class 1 never occurs.</summary>
    public double F1
    {
        get
        {
            var truePositives = Sum(cell => cell is (1, 1));
            return Ratio(2 * truePositives, Sum(cell => cell.Predicted == 1) + Sum(cell => cell.Expected == 1));
        }
    }

    /// <summary>Matthews correlation for any number of classes (R_K of Gorodkin 2004): (c·n − Σ pₖ·tₖ) / √((n² − Σ pₖ²)(n² − Σ tₖ²)); 0
    /// where undefined.</summary>
    public double Matthews
    {
        get
        {
            var classes = _counts.Keys.SelectMany(cell => new[] { cell.Predicted, cell.Expected }).Distinct();
            var margins = classes
                .Select(k => (Predicted: (double)Sum(cell => cell.Predicted == k), Expected: (double)Sum(cell => cell.Expected == k)))
                .ToList();
            double n = Total;
            var covariance = (Correct * n) - margins.Sum(m => m.Predicted * m.Expected);
            var variances = ((n * n) - margins.Sum(m => m.Predicted * m.Predicted)) * ((n * n) - margins.Sum(m => m.Expected * m.Expected));
            return variances > 0 ? covariance / Math.Sqrt(variances) : 0;
        }
    }

    private long Total => Sum(_ => true);

    private long Correct => Sum(cell => cell.Predicted == cell.Expected);

    private long Sum(Func<(int Predicted, int Expected), bool> where) => _counts.Where(pair => where(pair.Key)).Sum(pair => pair.Value);

    private static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0;
}
