/*
 * site_entry.S - between a patched system call site and site_handler(). To the
 * code around the site it is a system call: all registers but the result (and
 * rcx, r11 on x86-64) are as before. struct site_frame in site_code.h is the
 * layout that is pushed here. Vector registers are not saved: site_scan()
 * accepts only functions that never use them.
 */
#if defined(__x86_64__)

	.text
	.hidden	site_entry
	.globl	site_entry
	.type	site_entry, @function
/*
 * On entry, from the trampoline: (%rsp) the address to go back to, 8(%rsp) the
 * site, then the red zone. An unwinder steps from here to the site's function.
 */
site_entry:
	.cfi_startproc
	.cfi_def_cfa %rsp, 144
	.cfi_offset %rip, -144
	pushfq
	.cfi_adjust_cfa_offset 8
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	pushq	%r9
	.cfi_adjust_cfa_offset 8
	pushq	%r8
	.cfi_adjust_cfa_offset 8
	pushq	%r10
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	cld
	call	site_handler
	movq	%rbp, %rsp
	.cfi_def_cfa_register %rsp
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%r10
	.cfi_adjust_cfa_offset -8
	popq	%r8
	.cfi_adjust_cfa_offset -8
	popq	%r9
	.cfi_adjust_cfa_offset -8
	leaq	8(%rsp), %rsp
	.cfi_adjust_cfa_offset -8
	movq	(%rsp), %r11
	popfq
	.cfi_adjust_cfa_offset -8
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	leaq	136(%rsp), %rsp
	.cfi_adjust_cfa_offset -136
	notrack jmp *%rcx
	.cfi_endproc
	.size	site_entry, . - site_entry

	.hidden	site_entry_any
	.globl	site_entry_any
	.type	site_entry_any, @function
/*
 * libc's syscall(), its arguments in the kernel's registers, the number in rax.
 * The call of an uninteresting number is made here, on the program's stack and
 * without a trace: it may be a vfork or a clone.
 */
site_entry_any:
	cmpq	$512, %rax
	jae	1f
	leaq	site_any_class(%rip), %rcx
	btq	%rax, (%rcx)
	jc	2f
1:	syscall
	movq	site_any(%rip), %rcx
	notrack jmp *(%rcx)
2:	leaq	-128(%rsp), %rsp
	movq	site_any(%rip), %rcx
	pushq	%rcx
	pushq	(%rcx)
	jmp	site_entry
	.size	site_entry_any, . - site_entry_any

#elif defined(__aarch64__)

	.text
	.hidden	site_entry
	.globl	site_entry
	.type	site_entry, %function
/*
 * On entry: x16 the site; the trampoline saved x16, x17 at [sp], x8 and x30 at
 * [sp, 16], and restores them; the site's sp is sp + 32.
 */
site_entry:
	hint	#34
	sub	sp, sp, #192
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x9, x10, [sp, #64]
	stp	x11, x12, [sp, #80]
	stp	x13, x14, [sp, #96]
	stp	x15, x18, [sp, #112]
	mrs	x9, nzcv
	stp	x9, x30, [sp, #128]
	ldr	x10, [sp, #192 + 24]
	stp	x29, x10, [sp, #144]
	add	x11, sp, #192 + 32
	stp	x16, x11, [sp, #160]
	str	x8, [sp, #176]
	mov	x0, sp
	bl	site_handler
	ldp	x9, x30, [sp, #128]
	msr	nzcv, x9
	ldr	x1, [sp, #8]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x9, x10, [sp, #64]
	ldp	x11, x12, [sp, #80]
	ldp	x13, x14, [sp, #96]
	ldp	x15, x18, [sp, #112]
	add	sp, sp, #192
	ret
	.size	site_entry, . - site_entry

#endif
	.section .note.GNU-stack, "", %progbits
