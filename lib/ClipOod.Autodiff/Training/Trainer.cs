using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Autodiff;

/// <summary>How a <see cref="Trainer"/> trains, beside its optimiser.</summary>
public sealed record TrainerOptions
{
    /// <summary>Factor of the learning rate at each step, numbered from 0; see <see cref="Autodiff.Schedule"/>. Constant where null.</summary>
    public Func<long, double>? Schedule { get; init; }

    /// <summary>
    /// Largest L2 norm of all gradients together; where it is exceeded, all are scaled down to it, as by PyTorch's
    /// <c>clip_grad_norm_</c>. No limit where null.
    /// </summary>
    public double? MaxGradientNorm { get; init; }

    /// <summary>Number of calls of <see cref="Trainer.Step"/> whose gradients are averaged for one update.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>Weight decay of each weight, for example 0 for those with fewer than two axes; the optimiser's where null.</summary>
    public Func<Weight, double>? WeightDecay { get; init; }

    /// <summary>Factor of each weight's learning rate; 1 where null.</summary>
    public Func<Weight, double>? LearningRateScale { get; init; }

    /// <summary>Tensors to compute in each step beside the loss; see <see cref="Trainer.Monitored"/>.</summary>
    public IReadOnlyList<Tensor> Monitors { get; init; } = [];

    /// <summary>Number of threads, all processors where null.</summary>
    public int? Threads { get; init; }
}

/// <summary>
/// Learns the trainable weights of a graph. Forward pass, backward pass and update are one ONNX graph; weights
/// and the optimiser's state stay on the device from step to step.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const string UpdatesName = "updates";

    private readonly Optimizer _optimizer;
    private readonly TrainerOptions _options;

    // What is read after a step: the loss, the gradient norm where it is limited, the monitors.
    private readonly List<Tensor> _read = [];
    private readonly int _firstMonitor;
    private readonly Tensor[] _scalars;
    private readonly List<State> _states = [];
    private readonly Program _update;

    // Gradients are accumulated by a graph of its own, without the update.
    private readonly List<State> _sums = [];
    private readonly Program? _accumulate;
    private int _accumulated;

    /// <summary>Adds the backward and update nodes to the graph of the loss and loads it.</summary>
    /// <param name="loss">A scalar of the graph.</param>
    /// <param name="optimizer">The update rule.</param>
    /// <param name="options">Schedule, clipping, accumulation, per-weight settings.</param>
    /// <exception cref="ArgumentException">
    /// No weight is trainable, the loss does not depend on a trainable one, or an option is out of range.
    /// </exception>
    public Trainer(Tensor loss, Optimizer optimizer, TrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(optimizer);
        (_optimizer, _options) = (optimizer, options ?? new TrainerOptions());
        if (_options.AccumulationSteps < 1 || _options.MaxGradientNorm <= 0)
        {
            throw new ArgumentException("Accumulation steps are at least 1, and the largest gradient norm is above 0.", nameof(options));
        }

        Graph graph = loss.Graph;
        Weights = [.. graph.Weights.Where(weight => weight.Trainable)];
        if (Weights.Count == 0)
        {
            throw new ArgumentException($"Graph '{graph.Name}' has no trainable weights.", nameof(loss));
        }

        IReadOnlyList<Tensor> gradients = Accumulate(graph.Gradients(loss, Weights));
        _read.Add(loss);
        if (_options.MaxGradientNorm is double limit)
        {
            gradients = Limit(gradients, limit, out Tensor norm);
            _read.Add(norm);
        }

        _firstMonitor = _read.Count;
        _read.AddRange(_options.Monitors);
        _scalars = [.. optimizer.Scalars(1, 0).Select(_ => graph.HiddenInput("step", graph.Type, Shape.Scalar))];
        AddUpdates(gradients);

        _update = new Program(graph, [.. _read, .. _states.Select(state => state.Next)], training: true, _options.Threads);
        if (_sums.Count > 0)
        {
            _accumulate = new Program(graph, [.. ReadWithoutNorm(), .. _sums.Select(sum => sum.Next)], training: true, _options.Threads);
        }
    }

    /// <summary>The weights that it learns.</summary>
    public IReadOnlyList<Weight> Weights { get; }

    /// <summary>Number of updates made.</summary>
    public long Updates { get; private set; }

    /// <summary>Learning rate of the next update, before per-weight factors.</summary>
    public double LearningRate => _optimizer.LearningRate * (_options.Schedule?.Invoke(Updates) ?? 1);

    /// <summary>L2 norm of all gradients before the last update; known where <see cref="TrainerOptions.MaxGradientNorm"/> is set.</summary>
    public double? GradientNorm { get; private set; }

    /// <summary>Values of <see cref="TrainerOptions.Monitors"/> in the last step, before its update.</summary>
    public IReadOnlyList<TensorValue> Monitored { get; private set; } = [];

    /// <summary>
    /// One step on one batch: forward, backward, and, on every <see cref="TrainerOptions.AccumulationSteps"/>-th call,
    /// update.
    /// </summary>
    /// <param name="feeds">Values for all inputs.</param>
    /// <returns>The loss before the update.</returns>
    /// <exception cref="ArgumentException">A feed is missing, unknown or does not fit its input.</exception>
    /// <exception cref="ArithmeticException">The loss is NaN or infinite; weights and state stay as they were.</exception>
    public double Step(params ReadOnlySpan<Feed> feeds)
    {
        bool updates = _accumulated + 1 == _options.AccumulationSteps;
        Program program = updates ? _update : _accumulate!;
        List<State> changed = updates ? _states : _sums;
        Dictionary<Tensor, OrtValue> fed = _sums.Concat(_states).ToDictionary(state => state.Input, state => state.Current);
        List<OrtValue> scalars = FeedScalars(fed);
        using OrtIoBinding binding = program.Session.CreateIoBinding();
        List<OrtValue> temporary = program.Bind(binding, feeds, leaf => leaf is Weight weight ? weight.Current : fed[leaf]);
        try
        {
            changed.ForEach(state => program.BindOutput(binding, state.Next, state.Buffer(program.Session)));
            TensorValue[] read = program.Run(binding, updates ? _read : ReadWithoutNorm());
            double loss = read[0].ToDouble();
            if (!double.IsFinite(loss))
            {
                throw new ArithmeticException(FormattableString.Invariant(
                    $"The loss is {loss} after {Updates} updates; nothing was changed. Lower the learning rate, limit the gradients, or look for NaN in the batch."));
            }

            changed.ForEach(state => state.Advance());
            Monitored = read[(updates ? _firstMonitor : 1)..];
            _accumulated = updates ? 0 : _accumulated + 1;
            if (updates)
            {
                GradientNorm = _firstMonitor > 1 ? read[1].ToDouble() : null;
                _sums.ForEach(sum => sum.Reset());
                Updates++;
            }

            return loss;
        }
        finally
        {
            temporary.ForEach(value => value.Dispose());
            scalars.ForEach(value => value.Dispose());
        }
    }

    /// <summary>
    /// Copies of the weights it learns, under their names, of the optimiser's state, and of the number of updates:
    /// what a training needs to go on (beside the sequence of dropout masks, which starts anew). Gradients that wait
    /// for an update are not part of it.
    /// </summary>
    public IReadOnlyDictionary<string, TensorValue> GetState()
    {
        SortedDictionary<string, TensorValue> state = new(StringComparer.Ordinal) { [UpdatesName] = TensorValue.Of([Updates]) };
        foreach (State entry in _states)
        {
            state.Add(entry.Name, TensorValue.CopyOf(entry.Current));
        }

        return state;
    }

    /// <summary>Goes back to a state of <see cref="GetState"/>, of this trainer or of one made in the same way.</summary>
    /// <exception cref="ArgumentException">A value is missing or has another type or shape; all such are listed, nothing is changed.</exception>
    public void SetState(IReadOnlyDictionary<string, TensorValue> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        List<string> wrong = [];
        void check(string name, ElementType type, long[] shape)
        {
            TensorValue? value = state.GetValueOrDefault(name);
            if (value is null || value.Type != type || !value.Shape.AsSpan().SequenceEqual(shape))
            {
                wrong.Add($"'{name}': expected {type} ({string.Join(", ", shape)}), got {value?.ToString() ?? "nothing"}");
            }
        }

        check(UpdatesName, ElementType.Int64, []);
        _states.ForEach(entry => check(entry.Name, entry.Input.Type, entry.Input.Shape.ToSizes()));
        if (wrong.Count > 0)
        {
            throw new ArgumentException($"The state does not fit this trainer. {string.Join("; ", wrong)}.", nameof(state));
        }

        _states.ForEach(entry => entry.Set(state[entry.Name]));
        _sums.ForEach(sum => sum.Reset());
        (Updates, _accumulated) = (state[UpdatesName].Values<long>()[0], 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The memory of a device goes with the session.
        foreach (Weight weight in Engine.Provider == "CPU" ? [] : Weights)
        {
            weight.Value = weight.Value;
        }

        _states.Concat(_sums).ToList().ForEach(state => state.Dispose());
        _update.Dispose();
        _accumulate?.Dispose();
    }

    private IReadOnlyList<Tensor> Accumulate(IReadOnlyList<Tensor> gradients)
    {
        if (_options.AccumulationSteps == 1)
        {
            return gradients;
        }

        foreach ((Weight weight, Tensor gradient) in Weights.Zip(gradients))
        {
            State sum = State.Zero(weight, "sum");
            sum.Next = sum.Input + gradient;
            _sums.Add(sum);
        }

        return [.. _sums.Select(sum => sum.Next * (1.0 / _options.AccumulationSteps))];
    }

    private static Tensor[] Limit(IReadOnlyList<Tensor> gradients, double limit, out Tensor norm)
    {
        Graph graph = gradients[0].Graph;
        norm = gradients
            .Select(gradient => graph.Emit("ReduceSumSquare", [gradient], gradient.Type, Shape.Scalar, ("keepdims", 0)))
            .Aggregate((a, b) => a + b)
            .Sqrt();

        // The small number is that of PyTorch's clip_grad_norm_.
        Tensor factor = Op.Minimum(graph.Constant(limit) / (norm + 1e-6), graph.Constant(1));
        return [.. gradients.Select(gradient => gradient * factor)];
    }

    private void AddUpdates(IReadOnlyList<Tensor> gradients)
    {
        foreach ((Weight weight, Tensor gradient) in Weights.Zip(gradients))
        {
            State[] states = [.. _optimizer.States.Select(name => State.Zero(weight, name))];
            (Tensor value, Tensor[] next) = _optimizer.Update(
                weight,
                gradient,
                [.. states.Select(state => state.Input)],
                _scalars,
                _options.WeightDecay?.Invoke(weight) ?? _optimizer.WeightDecay,
                _options.LearningRateScale?.Invoke(weight) ?? 1);
            _states.Add(State.Of(weight, value));
            for (int i = 0; i < states.Length; i++)
            {
                states[i].Next = next[i];
                _states.Add(states[i]);
            }
        }
    }

    // The norm is that of the averaged gradients, known at the update only.
    private IReadOnlyList<Tensor> ReadWithoutNorm() => [_read[0], .. _read[_firstMonitor..]];

    private List<OrtValue> FeedScalars(Dictionary<Tensor, OrtValue> fed)
    {
        double[] numbers = _optimizer.Scalars(Updates + 1, LearningRate);
        List<OrtValue> values = [];
        foreach ((Tensor scalar, double number) in _scalars.Zip(numbers))
        {
            OrtValue value = scalar.Type == ElementType.Float ? Engine.Tensor<float>(new[] { (float)number }) : Engine.Tensor<double>(new[] { number });
            fed.Add(scalar, value);
            values.Add(value);
        }

        return values;
    }

    /// <summary>A tensor kept between steps: a weight, or a state of the optimiser, which is 0 at first.</summary>
    private sealed class State : IDisposable
    {
        private readonly Weight? _weight;

        // A step reads the current values and writes the others.
        private readonly OrtValue?[] _buffers = new OrtValue?[2];
        private OrtValue? _current;
        private OrtValue? _written;

        private State(string name, Tensor input, Weight? weight) => (Name, Input, _weight) = (name, input, weight);

        public string Name { get; }

        public Tensor Input { get; }

        public required Tensor Next { get; set; }

        public OrtValue Current => _weight?.Current ?? (_current ??= Initial.Constant(0).For(Name, Input.Type, Input.Shape.ToSizes())());

        public static State Of(Weight weight, Tensor next) => new(weight.Name, weight, weight) { Next = next };

        public static State Zero(Weight weight, string name)
        {
            Tensor input = weight.Graph.HiddenInput($"{weight.Name}.{name}", weight.Type, weight.Shape);
            return new State($"{weight.Name}.{name}", input, null) { Next = input };
        }

        /// <summary>Frees the buffers, but for the one that holds a weight's values.</summary>
        public void Dispose()
        {
            foreach (OrtValue? buffer in _buffers)
            {
                if (!ReferenceEquals(buffer, _weight?.Current))
                {
                    buffer?.Dispose();
                }
            }
        }

        public void Reset() => _current = null;

        /// <summary>The buffer that the next step writes to.</summary>
        public OrtValue Buffer(InferenceSession session)
        {
            ref OrtValue? buffer = ref _buffers[_buffers[0] is not null && ReferenceEquals(_buffers[0], Current) ? 1 : 0];
            return _written = buffer ??= Engine.Allocate(session, Input.Type, Input.Shape.ToSizes());
        }

        /// <summary>Makes what the last step wrote current.</summary>
        public void Advance()
        {
            _current = _written;
            _weight?.Learn(_written!);
        }

        /// <summary>Goes on from other values.</summary>
        public void Set(TensorValue value)
        {
            if (_weight is null)
            {
                _current = value.ToOrtValue();
            }
            else
            {
                _weight.Value = value;
            }
        }
    }
}
