using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// The training step of a <see cref="LinearHead"/> as one ONNX graph: gather the batch, logits, gradient of the mean
/// cross-entropy, update. The bias is the last column of the weight, against a feature that is always 1, so that both
/// take the same path. Parameters and optimizer state alternate between two sets of buffers, one read, one written.
/// </summary>
internal sealed class HeadTrainer : IDisposable
{
    private const long SharedStep = 1L << 30;

    private readonly int _classes;
    private readonly int _width;
    private readonly HeadOptions _options;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly string[] _stateNames;
    private readonly float[] _loss = new float[1];
    private readonly float[][][] _buffers;
    private readonly OrtValue[][] _states;

    // The binding holds pointers only: an OrtValue keeps its array in place for as long as it lives.
    private readonly OrtValue[] _data;
    private int _steps;

    public HeadTrainer(Embeddings features, IReadOnlyList<int> labels, LinearHead initial, HeadOptions options)
    {
        _classes = initial.NumClasses;
        _width = initial.Width;
        _options = options;
        _stateNames = options.Optimizer == HeadOptimizer.Sgd ? ["weight", "velocity"] : ["weight", "mean", "square"];

        // Sharing a small step between threads takes twice the processor time and gains nothing.
        long products = (long)Math.Min(options.BatchSize, features.Rows) * _classes * _width;
        _session = Engine.CreateSession(StepGraph(), products < SharedStep ? 1 : Engine.Threads);
        _binding = _session.CreateIoBinding();

        int size = _classes * (_width + 1);
        _buffers = [.. Enumerable.Range(0, 2).Select(_ => _stateNames.Select(_ => new float[size]).ToArray())];
        _states = [.. _buffers.Select(set => set.Select(b => Engine.Tensor<float>(b, _classes, _width + 1)).ToArray())];
        for (int i = 0; i < _classes; i++)
        {
            for (int j = 0; j < _width; j++)
            {
                _buffers[0][0][(i * (_width + 1)) + j] = (float)initial.Weight[i, j];
            }

            _buffers[0][0][(i * (_width + 1)) + _width] = (float)initial.Bias[i];
        }

        // The binding copies what it is given to the device, so the data travels once and the rest at every step.
        _data =
        [
            features.ToOrtValue(0, features.Rows),
            Engine.Tensor<long>(labels.Select(label => (long)label).ToArray(), labels.Count),
            Engine.Tensor<float>(_loss),
        ];
        _binding.BindInput("features", _data[0]);
        _binding.BindInput("labels", _data[1]);
        _binding.BindOutput("loss", _data[2]);
    }

    /// <summary>One update from the given rows; returns the sum of their losses before it.</summary>
    public double Step(Memory<long> rows, double learningRate)
    {
        int from = _steps % 2, to = 1 - from;
        _steps++;
        using OrtValue batch = Engine.Tensor(rows, rows.Length);
        _binding.BindInput("rows", batch);
        for (int i = 0; i < _stateNames.Length; i++)
        {
            _binding.BindInput(_stateNames[i], _states[from][i]);
            _binding.BindOutput($"new_{_stateNames[i]}", _states[to][i]);
        }

        List<OrtValue> scalars = [];
        Bind("inverse_count", 1.0 / rows.Length);
        if (_options.Optimizer == HeadOptimizer.Adam)
        {
            Bind("step_size", learningRate / (1 - Math.Pow(_options.Beta1, _steps)));
            Bind("root_correction", 1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, _steps)));
        }
        else
        {
            Bind("step_size", learningRate);
        }

        _session.RunWithBinding(_runOptions, _binding);
        scalars.ForEach(scalar => scalar.Dispose());
        return _loss[0];

        void Bind(string name, double value)
        {
            scalars.Add(Engine.Tensor<float>(new[] { (float)value }));
            _binding.BindInput(name, scalars[^1]);
        }
    }

    /// <summary>The present parameters, copied.</summary>
    public LinearHead Head(IReadOnlyList<double> history)
    {
        float[] parameters = _buffers[_steps % 2][0];
        float[] weight = new float[_classes * _width];
        double[] bias = new double[_classes];
        for (int i = 0; i < _classes; i++)
        {
            ReadOnlySpan<float> row = parameters.AsSpan(i * (_width + 1), _width + 1);
            row[.._width].CopyTo(weight.AsSpan(i * _width));
            bias[i] = row[_width];
        }

        return new LinearHead(new Embeddings(_classes, _width, weight), bias, history);
    }

    public void Dispose()
    {
        _binding.Dispose();
        _session.Dispose();
        _runOptions.Dispose();
        foreach (OrtValue value in _states.SelectMany(set => set).Concat(_data))
        {
            value.Dispose();
        }
    }

    private Graph StepGraph()
    {
        Graph graph = new("training step");
        Tensor rows = graph.Input("rows", ElementType.Int64, "b");
        Tensor x = graph.Input("features", ElementType.Float, "n", _width).Gather(rows);
        Tensor y = graph.Input("labels", ElementType.Int64, "n").Gather(rows);
        Tensor[] state = [.. _stateNames.Select(name => graph.Input(name, ElementType.Float, _classes, _width + 1))];

        Tensor padding = graph.Constant<long>([0, 0, 0, 1], 4);
        x = graph.Emit("Pad", [x, padding, graph.Constant(1)], ElementType.Float, new Shape("b", _width + 1));
        Tensor logProbabilities = Op.Linear(x, state[0], transposed: true).LogSoftmax();
        Tensor[] classes = [y, graph.Vector(_classes), graph.Constant<float>([0, 1], 2)];
        Tensor target = graph.Emit("OneHot", classes, ElementType.Float, logProbabilities.Shape);
        graph.Output("loss", -(target * logProbabilities).Sum());

        // Gradient of the mean cross-entropy by the logits: (softmax − one-hot) / batch size.
        Tensor error = (logProbabilities.Exp() - target) * graph.Input("inverse_count", ElementType.Float);
        Tensor stepSize = graph.Input("step_size", ElementType.Float);
        Tensor[] updated = _options.Optimizer == HeadOptimizer.Sgd ? Sgd(x, error, state, stepSize) : Adam(x, error, state, stepSize);
        for (int i = 0; i < updated.Length; i++)
        {
            graph.Output($"new_{_stateNames[i]}", updated[i]);
        }

        return graph;
    }

    // v ← μ·v + g + λ·w; w ← w − lr·v.
    private Tensor[] Sgd(Tensor x, Tensor error, Tensor[] state, Tensor stepSize)
    {
        Tensor velocity = GradientPlus(_options.Momentum, state[1], x, error);
        if (_options.WeightDecay > 0)
        {
            velocity += state[0] * _options.WeightDecay;
        }

        return [state[0] - (velocity * stepSize), velocity];
    }

    // g ← g + λ·w; m ← β₁·m + (1−β₁)·g; s ← β₂·s + (1−β₂)·g²; w ← w − lr/(1−β₁ᵗ) · m / (√s/√(1−β₂ᵗ) + ε).
    private Tensor[] Adam(Tensor x, Tensor error, Tensor[] state, Tensor stepSize)
    {
        Tensor gradient = GradientPlus(_options.WeightDecay, state[0], x, error);
        Tensor mean = (state[1] * _options.Beta1) + (gradient * (1 - _options.Beta1));
        Tensor square = (state[2] * _options.Beta2) + (gradient * gradient * (1 - _options.Beta2));
        Tensor root = square.Sqrt() * x.Graph.Input("root_correction", ElementType.Float);
        return [state[0] - (mean * stepSize / (root + _options.Epsilon)), mean, square];
    }

    // The gradient by the weight, to which the product adds a multiple of another matrix as it computes it.
    private static Tensor GradientPlus(double factor, Tensor other, Tensor x, Tensor error) => x.Graph.Emit(
        "Gemm", [error, x, other], ElementType.Float, other.Shape, ("transA", 1), ("beta", (float)factor));
}
