using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Tasks;

internal sealed class TaskMetricsTests
{
    [TestCase("classification", "accuracy f1 matthews")]
    [TestCase("regression", "pearson spearman mse")]
    [TestCase("causal-lm", "perplexity tokenAccuracy")]
    [TestCase("masked-lm", "perplexity tokenAccuracy")]
    [TestCase("token-classification", "tokenAccuracy")]
    [TestCase("loss", "")]
    public void A_task_reports_its_metrics(string task, string expected) => Assert.That(string.Join(' ', new TaskMetrics(TrainingTasks.Find(task)!).Values.Keys), Is.EqualTo(expected));

    [Test]
    public void Classes_come_from_the_largest_logit()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("classification")!);

        metrics.Add(OnnxTensor.Of<float>([2, 2], [1, 0, 0, 1]), OnnxTensor.Of<long>([2], [0, 0]));

        Assert.That(metrics.Values["accuracy"], Is.EqualTo(0.5));
    }

    [Test]
    public void Regression_reads_the_first_logit()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("regression")!);

        metrics.Add(OnnxTensor.Of<float>([2, 2], [1, 9, 3, 9]), OnnxTensor.Of<float>([2], [2, 5]));

        Assert.That(metrics.Values["mse"], Is.EqualTo(2.5));
    }

    // One row of four tokens over three words; the last logits say nothing, the label of token 2 does not count.
    [Test]
    public void A_causal_model_is_asked_for_the_next_token()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("causal-lm")!);

        metrics.Add(OnnxTensor.Of<float>([1, 4, 3], [0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0]), OnnxTensor.Of<long>([1, 4], [0, 1, -100, 0]));

        Assert.That(metrics.Values["tokenAccuracy"], Is.EqualTo(0.5));   // token 1 right, token 3 wrong
    }

    [Test]
    public void Other_token_tasks_do_not_shift_and_do_not_run_over_rows()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("masked-lm")!);

        metrics.Add(OnnxTensor.Of<float>([2, 2, 2], [1, 0, 0, 1, 1, 0, 1, 0]), OnnxTensor.Of<long>([2, 2], [0, 1, 0, 1]));

        Assert.That(metrics.Values["tokenAccuracy"], Is.EqualTo(0.75));
    }

    [Test]
    public void Batches_of_a_causal_model_end_with_their_rows()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("causal-lm")!);

        metrics.Add(OnnxTensor.Of<float>([2, 2, 2], [0, 1, 1, 0, 1, 0, 1, 0]), OnnxTensor.Of<long>([2, 2], [1, 1, 1, 0]));

        Assert.That(metrics.Values["tokenAccuracy"], Is.EqualTo(1));
    }

    [Test]
    public void The_loss_is_the_mean_over_all_labels_and_perplexity_its_exponential()
    {
        var metrics = new TaskMetrics(TrainingTasks.Find("causal-lm")!);

        metrics.AddLoss(1, 30);
        metrics.AddLoss(5, 10);

        Assert.That((metrics.Loss, metrics.Values["perplexity"]), Is.EqualTo((2, Math.Exp(2))));
    }
}
