using System.Security.Cryptography;
using System.Text;
using ClipOod.Autodiff;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace ClipOod.Clip;

/// <summary>A finished batch: what <see cref="FeatureAttackResult"/> says of all images, of some.</summary>
internal sealed record AttackedBatch(
    float[] Pixels, float[] Features, double[] CosinesBefore, double[] CosinesAfter, double[] CosinesRounded, double[] SquaredPerturbations);

/// <summary>
/// The attack's step as one graph: perturbed images, normalisation, image tower, loss, gradient by the perturbation, Adam, clamp. It has
/// the tower's weights as constants of its own graph, so that the model's is left alone.
/// </summary>
internal sealed class FeatureAttackSession : IDisposable
{
    private const double FirstDeviation = 1e-3;

    private readonly FeatureAttackOptions _options;
    private readonly Adam _adam;
    private readonly ClipConfig _config;
    private readonly Tensor _images;
    private readonly Tensor _targets;
    private readonly Tensor _perturbation;
    private readonly Tensor[] _states;
    private readonly Tensor _scalars;
    private readonly Evaluator _features;
    private readonly Evaluator _clamp;
    private readonly Evaluator _step;

    public FeatureAttackSession(ClipModel model, FeatureAttackOptions options)
    {
        (_options, _adam, _config) = (options, new Adam(options.LearningRate), model.Config);
        Graph graph = new("attack");
        ClipImageTower tower = new(graph, _config, (name, _) => Initial.Values(model.ImageTower.Weights[name].Value.Values<float>()));
        Tensor featuresOf(Tensor rgb) => options.Projected ? tower.Encode(tower.Normalize(rgb)) : tower.Pool(tower.Normalize(rgb));
        Width = options.Projected ? _config.EmbeddingWidth : _config.Vision.Width;

        Tensor pixels(string name) => graph.Input(name, ElementType.Float, "batch", 3, _config.ImageSize, _config.ImageSize);
        _images = pixels("images");
        _perturbation = pixels("perturbation");
        _targets = graph.Input("targets", ElementType.Float, "batch", Width);
        _states = [.. _adam.States.Select(pixels)];

        // One input for the numbers that change from step to step: Adam uses only some of them.
        int count = _adam.Scalars(1, 0).Length;
        _scalars = graph.Input("scalars", ElementType.Float, count);
        Tensor[] scalars = [.. Enumerable.Range(0, count).Select(i => _scalars.Slice(0, i..(i + 1)).Squeeze(0))];

        Tensor loss = FeatureAttack.Loss(featuresOf(_images + _perturbation), _targets, _perturbation, options.Smoothness);
        Tensor gradient = graph.Gradients(loss, _perturbation)[0];
        (Tensor next, Tensor[] states) = _adam.Update(_perturbation, gradient, _states, scalars, weightDecay: 0, rateScale: 1);
        _features = new Evaluator([featuresOf(_images)], constantWeights: true);
        _clamp = new Evaluator([FeatureAttack.Clamp(_perturbation, _images)]);
        _step = new Evaluator([loss, FeatureAttack.Clamp(next, _images), .. states], constantWeights: true);
    }

    /// <summary>Width of the features that are matched.</summary>
    public int Width { get; }

    /// <summary>Perturbs a batch; null where it was cancelled.</summary>
    /// <param name="first">Number of the batch's first image, which its first perturbation depends on beside the seed.</param>
    /// <param name="images">OOD images on [0, 1].</param>
    /// <param name="targets">ID images on [0, 1].</param>
    /// <param name="told">Given the number of each step and the loss before it.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public AttackedBatch? Run(int first, ReadOnlyMemory<float> images, ReadOnlyMemory<float> targets, Action<int, double> told, CancellationToken cancellation)
    {
        float[] clean = images.ToArray();
        float[] targetFeatures = Features(targets.ToArray());
        TensorValue perturbation = _clamp.Run((_perturbation.Name, FirstPerturbation(first, clean.Length)), (_images.Name, clean))[0];
        TensorValue[] states = [.. _states.Select(_ => TensorValue.Of(new float[clean.Length], perturbation.Shape))];
        for (int step = 1; step <= _options.Steps; step++)
        {
            if (cancellation.IsCancellationRequested)
            {
                return null;
            }

            Feed[] feeds =
            [
                (_images.Name, clean),
                (_targets.Name, targetFeatures),
                (_perturbation.Name, perturbation),
                .. _states.Zip(states, (input, value) => (Feed)(input.Name, value)),
                (_scalars.Name, Array.ConvertAll(_adam.Scalars(step, _options.LearningRate), value => (float)value)),
            ];
            IReadOnlyList<TensorValue> results = _step.Run(feeds);
            double loss = results[0].ToDouble();
            if (!double.IsFinite(loss))
            {
                throw new ArithmeticException(FormattableString.Invariant($"The loss of the images from {first} on is {loss} at step {step}. Lower the learning rate, or look for NaN in the model."));
            }

            (perturbation, states) = (results[1], [.. results.Skip(2)]);
            told(step, loss);
        }

        return Finish(clean, targetFeatures, perturbation.Values<float>());
    }

    public void Dispose()
    {
        _features.Dispose();
        _clamp.Dispose();
        _step.Dispose();
    }

    private AttackedBatch Finish(float[] clean, float[] targets, float[] perturbation)
    {
        // The sum of y and 1 − y may be rounded to above 1.
        float[] perturbed = [.. clean.Zip(perturbation, (y, delta) => Math.Clamp(y + delta, 0, 1))];
        float[] features = Features(perturbed);
        float[] rounded = [.. perturbed.Select(value => UnitPixels.ToByte(value) / 255f)];
        return new(
            perturbed,
            features,
            Cosines(Features(clean), targets),
            Cosines(features, targets),
            Cosines(Features(rounded), targets),
            [.. perturbation.Chunk(clean.Length / (targets.Length / Width)).Select(image => image.Sum(delta => (double)delta * delta) / image.Length)]);
    }

    private float[] Features(float[] images) => _features.Run((_images.Name, images))[0].Values<float>();

    private double[] Cosines(float[] features, float[] targets) =>
        [.. features.Chunk(Width).Zip(targets.Chunk(Width), (a, b) => (double)TensorPrimitives.CosineSimilarity(a, b))];

    private float[] FirstPerturbation(int first, int count)
    {
        // The seed and the place decide, so that an attack that goes on makes what it would have made.
        int own = BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{_options.Seed} {first}"))));
        Graph graph = new("start");
        return graph.Weight("perturbation", [count], Initial.Normal(FirstDeviation, own)).Value.Values<float>();
    }
}
