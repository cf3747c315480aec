#include "worker/loop/unipc.h"

#include <algorithm>
#include <cmath>

namespace wansweep {

namespace {

// sigma is the schedule's f32 value; 1 - sigma is exact for the sigmas near 1, where lambda is most sensitive.
double alpha(float sigma) { return double{1.0f - sigma}; }
double lambda(float sigma) { return std::log(alpha(sigma)) - std::log(double{sigma}); }

// x_c = sigma_i/sigma_{i-1} last - alpha_i hphi1 m0 - alpha_i Bh (r0 D1 + r1 (m_t - m0)), expanded by its tensors.
void set_corrector(UniPCStep& step, const std::vector<float>& sigmas, size_t i, int order) {
  const double h = lambda(sigmas[i]) - lambda(sigmas[i - 1]);
  const double b_h = std::expm1(-h);  // B(h) of bh2; hphi1 is the same number
  const double scale = alpha(sigmas[i]) * b_h;
  double of_m0 = -0.5, of_m1 = 0, of_mt = 0.5;
  if (order == 2) {
    const double hh = -h;
    const double rk = (lambda(sigmas[i - 2]) - lambda(sigmas[i - 1])) / h;
    const double f1 = b_h / hh - 1;
    const double b1 = f1 / b_h;
    const double f2 = f1 / hh - 0.5;
    const double b2 = f2 * 2 / b_h;
    const double r0 = (b1 - b2) / (1 - rk);
    const double r1 = (b2 - rk * b1) / (1 - rk);
    of_m1 = r0 / rk;
    of_m0 = -r0 / rk - r1;
    of_mt = r1;
  }
  step.correct = true;
  step.c_last = static_cast<float>(double{sigmas[i]} / double{sigmas[i - 1]});
  step.c_m0 = static_cast<float>(-scale * (1 + of_m0));
  step.c_m1 = static_cast<float>(-scale * of_m1);
  step.c_mt = static_cast<float>(-scale * of_mt);
}

// x_next = sigma_{i+1}/sigma_i x_c - alpha_{i+1} hphi1 m_t - alpha_{i+1} Bh D, D = 0.5 (m_prev - m_t) / r.
void set_predictor(UniPCStep& step, const std::vector<float>& sigmas, size_t i, int order) {
  const float next = sigmas[i + 1];
  step.p_x = static_cast<float>(double{next} / double{sigmas[i]});
  // At sigma 0, h is infinite and expm1(-h) is -1: the result is m_t itself.
  const double h = next > 0 ? lambda(next) - lambda(sigmas[i]) : INFINITY;
  const double scale = alpha(next) * (next > 0 ? std::expm1(-h) : -1.0);
  double of_prev = 0;
  if (order == 2) {
    const double r = (lambda(sigmas[i - 1]) - lambda(sigmas[i])) / h;
    of_prev = 0.5 / r;
  }
  step.p_mt = static_cast<float>(-scale * (1 - of_prev));
  step.p_m0 = static_cast<float>(-scale * of_prev);
}

}  // namespace

std::vector<UniPCStep> unipc_steps(const FlowSchedule& schedule) {
  const size_t count = schedule.timesteps.size();
  std::vector<UniPCStep> steps(count);
  int last_order = 1;
  for (size_t i = 0; i < count; ++i) {
    steps[i].sigma = schedule.sigmas[i];
    if (i > 0) set_corrector(steps[i], schedule.sigmas, i, last_order);
    const int history = static_cast<int>(std::min<size_t>(i, 1)) + 1;
    const int order = std::min({2, static_cast<int>(count - i), history});
    set_predictor(steps[i], schedule.sigmas, i, order);
    last_order = order;
  }
  return steps;
}

}  // namespace wansweep
