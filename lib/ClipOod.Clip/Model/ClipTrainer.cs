using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// Trains a model on images and their captions with CLIP's contrastive loss, from scratch or from weights. Frozen towers
/// (<see cref="ClipTower.SetTrainable"/>) stay as they are. The logit scale learns and is held at or below ln 100 (Radford et al. 2021).
/// </summary>
public sealed class ClipTrainer : IDisposable
{
    private const string ClassesName = "classes";

    private readonly ClipModel _model;
    private readonly Trainer _trainer;

    /// <summary>Adds the loss, the backward pass and the update to the model's graph and loads them.</summary>
    /// <param name="model">The model; one trainer of this kind can be made for it.</param>
    /// <param name="optimizer">The update rule; null for AdamW with a learning rate of 5e-4, betas 0.9 and 0.98, epsilon 1e-6 and a weight decay of 0.2 (Radford et al. 2021, table 18).</param>
    /// <param name="options">
    /// Schedule, clipping, accumulation; where it says nothing of weight decay, biases, gains and the logit scale (fewer than two axes) get none.
    /// </param>
    /// <exception cref="ArgumentException">The model has a contrastive trainer already, or nothing of it is trainable.</exception>
    public ClipTrainer(ClipModel model, Optimizer? optimizer = null, TrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        optimizer ??= new AdamW(5e-4, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.2);
        options ??= new();
        Tensor classes = model.Graph.Input(ClassesName, ElementType.Int64, "batch");
        Loss = ClipLosses.Contrastive(model.Logits, classes);
        _trainer = new Trainer(Loss, optimizer, options.WeightDecay is null
            ? options with { WeightDecay = weight => weight.Rank < 2 ? 0 : optimizer.WeightDecay }
            : options);
    }

    /// <summary>The loss in the graph, a scalar.</summary>
    public Tensor Loss { get; }

    /// <summary>Number of updates made.</summary>
    public long Updates => _trainer.Updates;

    /// <summary>One step on one batch.</summary>
    /// <param name="pixels">Normalised images, batch × 3 × size × size.</param>
    /// <param name="tokens">Their captions, batch × context length; see <see cref="ClipTokenizer.EncodeRows"/>.</param>
    /// <param name="classes">
    /// A number for each pair: pairs of one class are positives of each other. Null: every pair is a class of its own. Classes matter for
    /// captions that say the same in other words. Pairs of the very same caption give the same loss either way: they have one text
    /// feature, so that it makes no difference whether an image's target is one of them or is shared among them.
    /// </param>
    /// <returns>The loss before the update, in nats; ln(batch) for a model that knows nothing.</returns>
    /// <exception cref="ArgumentException">The numbers of images, captions and classes differ, or a token is not of the model.</exception>
    /// <exception cref="ArithmeticException">The loss is NaN or infinite; the weights stay as they were.</exception>
    public double Step(Memory<float> pixels, int[,] tokens, IReadOnlyList<int>? classes = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        int batch = tokens.GetLength(0);
        if (classes is not null && classes.Count != batch)
        {
            throw new ArgumentException($"Got {classes.Count} classes for {batch} captions.", nameof(classes));
        }

        long[] ids = [.. tokens.Cast<int>().Select(id => (long)id)];
        int foreign = Array.FindIndex(ids, id => id < 0 || id >= _model.Config.VocabularySize);
        if (foreign >= 0)
        {
            throw new ArgumentException($"There is no token {ids[foreign]}: expected 0 to {_model.Config.VocabularySize - 1}.", nameof(tokens));
        }

        long[] numbers = [.. Enumerable.Range(0, batch).Select(i => (long)(classes?[i] ?? i))];
        double loss = _trainer.Step(
            (_model.Ids.Name, TensorValue.Of(ids, batch, tokens.GetLength(1))),
            (_model.Pixels.Name, pixels),
            (ClassesName, TensorValue.Of(numbers, batch)));
        HoldLogitScale();
        _model.Refresh();
        return loss;
    }

    /// <summary>
    /// Writes the model and what the training needs to go on: the optimiser's state and the number of updates. <see cref="ClipModel.Load"/>
    /// reads the file too. It appears under its name when it is complete.
    /// </summary>
    /// <param name="path">The .safetensors file; one of this name is replaced.</param>
    public void SaveCheckpoint(string path)
    {
        HashSet<string> weights = new(_model.Graph.Weights.Select(weight => weight.Name), StringComparer.Ordinal);
        _model.Save(path, _trainer.GetState()
            .Where(entry => !weights.Contains(entry.Key))
            .Select(entry => ClipModel.ToSafetensors(ClipWeights.TrainerPrefix + entry.Key, entry.Value)));
    }

    /// <summary>Goes back to a checkpoint of this model, trained in the same way: the next losses are those that followed it.</summary>
    /// <param name="path">A file of <see cref="SaveCheckpoint"/>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Tensors are missing or of the wrong shape; nothing is changed.</exception>
    public void LoadCheckpoint(string path)
    {
        using ModelTensors tensors = ModelTensors.Open(path);
        ClipWeights.Check(tensors, ClipLayout.OpenAi, _model.Config.TensorShapes, _model.Config.ToString());
        Dictionary<string, TensorValue> values = new(StringComparer.Ordinal);
        foreach ((string name, Weight weight) in _model.Weights())
        {
            values.Add(name, TensorValue.Of(tensors.Find(name)!.ToSingles(), weight.Value.Shape));
        }

        Dictionary<string, TensorValue> state = new(values, StringComparer.Ordinal);
        foreach (string name in tensors.Names.Where(name => name.StartsWith(ClipWeights.TrainerPrefix, StringComparison.Ordinal)))
        {
            SafetensorsTensor tensor = tensors.Find(name)!;
            long[] shape = [.. tensor.Shape.Select(size => (long)size)];
            state.Add(name[ClipWeights.TrainerPrefix.Length..], tensor.DType == SafetensorsType.I64
                ? TensorValue.Of(tensor.ToInt64s(), shape)
                : TensorValue.Of(tensor.ToSingles(), shape));
        }

        try
        {
            _trainer.SetState(state);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{path}: {error.Message} Was the checkpoint made with this optimiser and these towers frozen?", error);
        }

        foreach ((string name, Weight weight) in _model.Weights().Where(entry => !entry.Weight.Trainable))
        {
            weight.Value = values[name];
        }

        _model.Refresh();
    }

    /// <inheritdoc/>
    public void Dispose() => _trainer.Dispose();

    private void HoldLogitScale()
    {
        if (_model.LogitScale.Value.ToDouble() > ClipModel.MaxLogitScale)
        {
            _model.LogitScale.Value = TensorValue.Of([(float)ClipModel.MaxLogitScale]);
        }
    }
}
